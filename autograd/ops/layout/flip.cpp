#include "engine/ops/layout/flip.h"

#include "autograd/ops/layout.h"
#include "autograd/record.h"

namespace plumb {

Variable flip(const Variable& x, const Dims& dims) {
  return record("flip", flip(x.value(), dims), {x}, save(),
                [dims](const Saved&, const Tensor& grad, Needs) { return Grads(flip(grad, dims)); });
}

}  // namespace plumb
