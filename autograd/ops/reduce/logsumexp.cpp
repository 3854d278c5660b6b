#include "engine/ops/reduce/logsumexp.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"

namespace plumb {

Variable logsumexp(const Variable& x, const Dims& dims, bool keepdim) {
  const Tensor y = logsumexp(x.value(), dims, keepdim);
  return record("logsumexp", y, {x}, save(x.value(), y),
                [mask = dim_mask("logsumexp", x.value(), dims)](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(logsumexp_backward(grad, saved[0], saved[1], mask));
                });
}

}  // namespace plumb
