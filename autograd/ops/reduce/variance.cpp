#include "engine/ops/reduce/variance.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"

namespace plumb {

Variable var(const Variable& x, const Dims& dims, double correction, bool keepdim) {
  return record("var", var(x.value(), dims, correction, keepdim), {x}, save(x.value()),
                [mask = dim_mask("var", x.value(), dims), correction](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(var_backward(grad, saved[0], mask, correction));
                });
}

Variable stddev(const Variable& x, const Dims& dims, double correction, bool keepdim) {
  const Tensor y = stddev(x.value(), dims, correction, keepdim);
  return record("std", y, {x}, save(x.value(), y),
                [mask = dim_mask("std", x.value(), dims), correction](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(stddev_backward(grad, saved[0], saved[1], mask, correction));
                });
}

}  // namespace plumb
