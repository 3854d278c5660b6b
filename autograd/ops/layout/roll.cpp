#include "engine/ops/layout/roll.h"

#include "autograd/ops/layout.h"
#include "autograd/record.h"

namespace plumb {

Variable roll(const Variable& x, const Dims& shifts, const Dims& dims) {
  Dims back = shifts;
  for (int64_t& shift : back) shift = -shift;
  return record("roll", roll(x.value(), shifts, dims), {x}, save(),
                [back, dims](const Saved&, const Tensor& grad, Needs) { return Grads(roll(grad, back, dims)); });
}

}  // namespace plumb
