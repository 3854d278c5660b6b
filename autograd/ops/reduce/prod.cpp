#include "engine/ops/reduce/prod.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"

namespace plumb {

Variable prod(const Variable& x, const Dims& dims, bool keepdim) {
  return record("prod", prod(x.value(), dims, keepdim), {x}, save(x.value()),
                [mask = dim_mask("prod", x.value(), dims)](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(prod_backward(grad, saved[0], mask));
                });
}

}  // namespace plumb
