#include "engine/ops/reduce/prod.h"

#include "engine/backend.h"
#include "engine/ops/reduce/prod_kernels.h"

namespace plumb {

Tensor prod(const Tensor& x, const Dims& dims, bool keepdim) {
  const DimMask mask = dim_mask("prod", x, dims);
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : DType::i64;
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), dtype, x.device());
  on_device(x.device(), [&](auto backend) { prod_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor prod_backward(const Tensor& grad, const Tensor& x, DimMask mask) {
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  const Tensor upstream = grad.contiguous();
  on_device(x.device(), [&](auto backend) { prod_backward_kernel(backend, upstream, x, mask, grad_x); });
  return grad_x;
}

}  // namespace plumb
