#include "engine/ops/reduce/logsumexp.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/reduce/logsumexp_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope("logsumexp", x);
  require<DTypeError>(is_floating(x.dtype()), "logsumexp: input must be floating; {}", x);
  const DimMask mask = dim_mask("logsumexp", x, dims);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), x.dtype(), x.device());
  scope.writes(out);
  scope.flops(4 * x.numel());
  on_device(x.device(), [&](auto backend) { logsumexp_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor logsumexp_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask) {
  const OpScope scope("logsumexp_backward", grad, x, y);
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(grad_x, 3);
  const Tensor upstream = grad.contiguous(), value = y.contiguous();
  on_device(x.device(), [&](auto backend) { logsumexp_backward_kernel(backend, upstream, x, value, mask, grad_x); });
  return grad_x;
}

}  // namespace plumb
