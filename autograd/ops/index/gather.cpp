#include "engine/ops/index/gather.h"

#include "autograd/ops/index.h"
#include "autograd/record.h"
#include "engine/ops/layout/view.h"

namespace plumb {

Variable gather(const Variable& x, int64_t dim, const Tensor& index) {
  return record("gather", gather(x.value(), dim, index), {x}, save(index),
                [dim, shape = x.shape()](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(scatter_add(zeros(shape, grad.dtype(), grad.device()), dim, saved[0], grad));
                });
}

Variable scatter_add(const Variable& x, int64_t dim, const Tensor& index, const Variable& src) {
  return record("scatter_add", scatter_add(x.value(), dim, index, src.value()), {x, src}, save(index),
                [dim, shape = src.shape()](const Saved& saved, const Tensor& grad, Needs needs) {
                  if (!needs[1]) return Grads(grad, Tensor());
                  Tensor picked = gather(grad, dim, saved[0]);
                  if (!(picked.shape() == shape)) {  // src beyond the index was not read
                    Tensor full = zeros(shape, grad.dtype(), grad.device()), part = full;
                    for (int64_t d = 0; d < shape.rank(); ++d) part = slice(part, d, 0, picked.shape()[d]);
                    part.copy_(picked);
                    picked = full;
                  }
                  return Grads(grad, std::move(picked));
                });
}

}  // namespace plumb
