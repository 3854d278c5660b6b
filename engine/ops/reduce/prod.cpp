#include "engine/ops/reduce/prod.h"

#include "engine/backend.h"
#include "engine/ops/reduce/prod_kernels.h"
#include "engine/profile/op_scope.h"

namespace plumb {

Tensor prod(const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope("prod", x);
  const DimMask mask = dim_mask("prod", x, dims);
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : DType::i64;
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), dtype, x.device());
  scope.writes(out);
  scope.flops(x.numel());
  on_device(x.device(), [&](auto backend) { prod_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor prod_backward(const Tensor& grad, const Tensor& x, DimMask mask) {
  const OpScope scope("prod_backward", grad, x);
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(grad_x, 3);
  const Tensor upstream = grad.contiguous();
  on_device(x.device(), [&](auto backend) { prod_backward_kernel(backend, upstream, x, mask, grad_x); });
  return grad_x;
}

}  // namespace plumb
