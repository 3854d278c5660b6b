#include "engine/ops/elementwise/quick_gelu.h"

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"

namespace plumb {

Variable quick_gelu(const Variable& x) {
  return record(
      "quick_gelu", quick_gelu(x.value()), {x}, save(x.value()),
      [](const Saved& saved, const Tensor& grad, Needs) { return Grads(quick_gelu_backward(grad, saved[0])); });
}

}  // namespace plumb
