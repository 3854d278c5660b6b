#include "engine/ops/elementwise/mish.h"

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"

namespace plumb {

Variable mish(const Variable& x) {
  return record("mish", mish(x.value()), {x}, save(x.value()),
                [](const Saved& saved, const Tensor& grad, Needs) { return Grads(mish_backward(grad, saved[0])); });
}

}  // namespace plumb
