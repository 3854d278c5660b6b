#include "engine/ops/elementwise/geglu.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/elementwise/geglu_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

Tensor geglu(const Tensor& x) {
  const OpScope scope("geglu", x);
  require<DTypeError>(is_floating(x.dtype()), "geglu: input must be floating; {}", x);
  require<ShapeError>(x.rank() > 0 && x.shape().back() % 2 == 0, "geglu: the last dimension must be even; {}", x);
  Shape shape = x.shape();
  shape[shape.rank() - 1] /= 2;
  Tensor y = empty(shape, x.dtype(), x.device());
  scope.elementwise(y, 2);
  const Tensor input = x.contiguous();
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { geglu_kernel(backend, input, y); });
  return y;
}

Tensor geglu_backward(const Tensor& grad, const Tensor& x) {
  const OpScope scope("geglu_backward", grad, x);
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(grad_x, 3);
  const Tensor upstream = grad.contiguous(), input = x.contiguous();
  if (x.numel() > 0)
    on_device(x.device(), [&](auto backend) { geglu_backward_kernel(backend, upstream, input, grad_x); });
  return grad_x;
}

}  // namespace plumb
