#include "engine/ops/resize/interpolate_bilinear.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/resize/interpolate_bilinear_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

namespace {

void check(const char* op, const Tensor& x, int64_t height, int64_t width) {
  require<DTypeError>(is_floating(x.dtype()), "{}: input must be floating; {}", op, x);
  require<ShapeError>(x.rank() == 4 && x.size(2) > 0 && x.size(3) > 0,
                      "{}: input must be [N, C, H, W] with H and W positive; {}", op, x);
  require<ShapeError>(height > 0 && width > 0, "{}: size must be positive ({} by {}); {}", op, height, width, x);
}

}  // namespace

Tensor interpolate_bilinear(const Tensor& x, int64_t height, int64_t width) {
  const OpScope scope("interpolate_bilinear", x);
  check("interpolate_bilinear", x, height, width);
  Tensor y = empty({x.size(0), x.size(1), height, width}, x.dtype(), x.device());
  scope.elementwise(y, 9);
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { interpolate_bilinear_kernel(backend, x, y); });
  return y;
}

Tensor interpolate_bilinear_backward(const Tensor& grad, int64_t height, int64_t width) {
  const OpScope scope("interpolate_bilinear_backward", grad);
  check("interpolate_bilinear_backward", grad, height, width);
  Tensor grad_x = empty({grad.size(0), grad.size(1), height, width}, grad.dtype(), grad.device());
  scope.writes(grad_x);
  scope.flops(8 * grad.numel());
  if (grad_x.numel() > 0)
    on_device(grad.device(), [&](auto backend) { interpolate_bilinear_backward_kernel(backend, grad, grad_x); });
  return grad_x;
}

}  // namespace plumb
