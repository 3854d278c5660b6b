#include "engine/ops/reduce/cumsum.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"

namespace plumb {

Variable cumsum(const Variable& x, int64_t dim) {
  return record("cumsum", cumsum(x.value(), dim), {x}, save(),
                [dim](const Saved&, const Tensor& grad, Needs) { return Grads(cumsum_backward(grad, dim)); });
}

}  // namespace plumb
