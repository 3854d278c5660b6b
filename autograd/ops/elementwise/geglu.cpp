#include "engine/ops/elementwise/geglu.h"

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"

namespace plumb {

Variable geglu(const Variable& x) {
  return record("geglu", geglu(x.value()), {x}, save(x.value()),
                [](const Saved& saved, const Tensor& grad, Needs) { return Grads(geglu_backward(grad, saved[0])); });
}

}  // namespace plumb
