#include "engine/ops/softmax/softmax.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/softmax/softmax_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <class Kernel>
Tensor forward(const char* op, const Tensor& x, int64_t dim, Kernel kernel) {
  const OpScope scope(op, x);
  require<DTypeError>(is_floating(x.dtype()), "{}: input must be floating; {}", op, x);
  dim = normalize_dim(op, dim, x.rank());
  Tensor y = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(y, 5);  // greatest, difference, exp, sum, quotient
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { kernel(backend, dim, y); });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) {
  return forward("softmax", x, dim, [&](auto backend, int64_t d, Tensor& y) { softmax_kernel(backend, x, d, y); });
}

Tensor log_softmax(const Tensor& x, int64_t dim) {
  return forward("log_softmax", x, dim,
                 [&](auto backend, int64_t d, Tensor& y) { log_softmax_kernel(backend, x, d, y); });
}

Tensor softmax_backward(const Tensor& grad, const Tensor& y, int64_t dim) {
  return forward("softmax_backward", y, dim,
                 [&](auto backend, int64_t d, Tensor& out) { softmax_backward_kernel(backend, grad, y, d, out); });
}

Tensor log_softmax_backward(const Tensor& grad, const Tensor& y, int64_t dim) {
  return forward("log_softmax_backward", y, dim,
                 [&](auto backend, int64_t d, Tensor& out) { log_softmax_backward_kernel(backend, grad, y, d, out); });
}

}  // namespace plumb
