#include "engine/ops/reduce/sum.h"

#include "autograd/ops/reduce.h"
#include "autograd/record.h"
#include "engine/loops.h"

namespace plumb {

Variable sum(const Variable& x, const Dims& dims, bool keepdim) {
  return record("sum", sum(x.value(), dims, keepdim), {x}, save(),
                [shape = x.shape(), mask = dim_mask("sum", x.value(), dims)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(sum_backward(grad, shape, mask));
                });
}

Variable mean(const Variable& x, const Dims& dims, bool keepdim) {
  return record("mean", mean(x.value(), dims, keepdim), {x}, save(),
                [shape = x.shape(), mask = dim_mask("mean", x.value(), dims)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(mean_backward(grad, shape, mask));
                });
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("sum_to", sum_to(x.value(), shape), {x}, save(),
                [shape = x.shape()](const Saved&, const Tensor& grad, Needs) {
                  return Grads(grad.view_as(shape, broadcast_strides(grad, shape), grad.offset()));
                });
}

}  // namespace plumb
