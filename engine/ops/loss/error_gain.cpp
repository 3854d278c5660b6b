#include "engine/ops/loss/error_gain.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// 2 grad[n] (a - b) / divisor, like a: the gradient of every operand has this form.
Tensor spread_difference(const Tensor& grad, const Tensor& a, const Tensor& b, Reduction reduction) {
  const OpScope scope("error_gain_backward", grad, a, b);
  const Tensor x = a.contiguous(), y = b.contiguous(), g = grad.contiguous();
  Tensor out = empty(x.shape(), x.dtype(), x.device()), none;
  scope.elementwise(out, 2);
  on_device(x.device(), [&](auto backend) {
    squared_error_backward_kernel(backend, g, x, y, sample_divisor(x, reduction), out, none);
  });
  return out;
}

}  // namespace

Tensor error_gain(const Tensor& pred, const Tensor& ref, const Tensor& target, Reduction reduction) {
  const OpScope scope("error_gain", pred, ref, target);
  check_error_operands("error_gain", pred, target);
  check_error_operands("error_gain", pred, ref, "ref");
  require<ShapeError>(pred.rank() >= 1, "error_gain: input must have a batch dimension; {}", pred);
  require<ValueError>(reduction != Reduction::none, "error_gain: reduction must be mean or sum (none); {}", pred);
  const Tensor p = pred.contiguous(), r = ref.contiguous(), t = target.contiguous();
  Tensor out = empty({p.shape()[0]}, acc_dtype(p.dtype()), p.device());
  scope.writes(out);
  scope.flops(6 * p.numel());
  on_device(p.device(), [&](auto backend) { error_gain_kernel(backend, p, r, t, sample_divisor(p, reduction), out); });
  return out;
}

ErrorGainGrads error_gain_backward(const Tensor& grad, const Tensor& pred, const Tensor& ref, const Tensor& target,
                                   Reduction reduction, ErrorGainNeeds needs) {
  ErrorGainGrads grads;
  if (needs.pred) grads.pred = spread_difference(grad, pred, target, reduction);
  if (needs.ref) grads.ref = spread_difference(grad, target, ref, reduction);
  if (needs.target) grads.target = spread_difference(grad, ref, pred, reduction);
  return grads;
}

}  // namespace plumb
