#include "engine/ops/reduce/variance.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/reduce/variance_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor variance(const char* op, const Tensor& x, const Dims& dims, double correction, bool keepdim, bool root) {
  const OpScope scope(op, x);
  require<DTypeError>(is_floating(x.dtype()), "{}: input must be floating; {}", op, x);
  const DimMask mask = dim_mask(op, x, dims);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), x.dtype(), x.device());
  scope.writes(out);
  scope.flops(4 * x.numel());
  on_device(x.device(),
            [&](auto backend) { variance_kernel(backend, x, reduction_layout(x, mask), correction, root, out); });
  return out;
}

Tensor backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, double correction) {
  const OpScope scope("variance_backward", grad, x);
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(grad_x, 3);
  const Tensor upstream = grad.contiguous();
  on_device(x.device(),
            [&](auto backend) { variance_backward_kernel(backend, upstream, x, y, mask, correction, grad_x); });
  return grad_x;
}

}  // namespace

Tensor var(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  return variance("var", x, dims, correction, keepdim, false);
}

Tensor stddev(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  return variance("std", x, dims, correction, keepdim, true);
}

Tensor var_backward(const Tensor& grad, const Tensor& x, DimMask mask, double correction) {
  return backward(grad, x, Tensor(), mask, correction);
}

Tensor stddev_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, double correction) {
  return backward(grad, x, y.contiguous(), mask, correction);
}

}  // namespace plumb
