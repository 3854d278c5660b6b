#include "engine/ops/loss/mse.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

void check_error_operands(const char* op, const Tensor& pred, const Tensor& target, const char* name) {
  require<ShapeError>(pred.shape() == target.shape(), "{}: pred and {} must have the same shape; {} and {}", op, name,
                      pred, target);
  require<DTypeError>(pred.dtype() == target.dtype() && is_floating(pred.dtype()),
                      "{}: pred and {} must be floating and of one dtype; {} and {}", op, name, pred, target);
}

Tensor mse(const Tensor& pred, const Tensor& target, Reduction reduction) {
  const OpScope scope("mse", pred, target);
  check_error_operands("mse", pred, target);
  const Tensor p = pred.contiguous(), t = target.contiguous();
  if (reduction == Reduction::none) {
    Tensor out = empty(p.shape(), p.dtype(), p.device());
    scope.elementwise(out, 2);
    on_device(p.device(), [&](auto backend) { squared_difference_kernel(backend, p, t, out); });
    return out;
  }
  Tensor out = empty({}, acc_dtype(p.dtype()), p.device());
  scope.writes(out);
  scope.flops(3 * p.numel());
  const double divisor = reduction == Reduction::mean ? double(p.numel()) : 1.0;
  on_device(p.device(), [&](auto backend) { squared_error_kernel(backend, p, t, 1, divisor, out); });
  return out;
}

PairGrads mse_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, Reduction reduction,
                       bool needs_pred, bool needs_target) {
  const OpScope scope("mse_backward", grad, pred, target);
  const Tensor p = pred.contiguous(), t = target.contiguous(), g = grad.contiguous();
  PairGrads grads;
  if (needs_pred) grads.pred = empty(p.shape(), p.dtype(), p.device());
  if (needs_target) grads.target = empty(t.shape(), t.dtype(), t.device());
  scope.writes(grads.pred);
  scope.writes(grads.target);
  scope.flops(2 * p.numel());
  on_device(p.device(), [&](auto backend) {
    if (reduction == Reduction::none)
      return squared_difference_backward_kernel(backend, g, p, t, grads.pred, grads.target);
    const double divisor = reduction == Reduction::mean ? double(p.numel()) : 1.0;
    squared_error_backward_kernel(backend, g, p, t, divisor, grads.pred, grads.target);
  });
  return grads;
}

}  // namespace plumb
