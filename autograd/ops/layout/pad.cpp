#include "engine/ops/layout/pad.h"

#include "autograd/ops/layout.h"
#include "autograd/record.h"

namespace plumb {

Variable pad(const Variable& x, const Dims& amounts, double value) {
  return record("pad", pad(x.value(), amounts, value), {x}, save(),
                [amounts](const Saved&, const Tensor& grad, Needs) { return Grads(pad_backward(grad, amounts)); });
}

}  // namespace plumb
