#include "engine/ops/loss/sample_error.h"

#include <algorithm>

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

double sample_divisor(const Tensor& x, Reduction reduction) {
  if (reduction == Reduction::sum) return 1;
  double elements = 1;
  for (int64_t d = 1; d < x.rank(); ++d) elements *= double(x.shape()[d]);
  return elements;
}

Tensor sample_error(const Tensor& pred, const Tensor& target, Reduction reduction) {
  const OpScope scope("sample_error", pred, target);
  check_error_operands("sample_error", pred, target);
  require<ShapeError>(pred.rank() >= 1, "sample_error: input must have a batch dimension; {}", pred);
  require<ValueError>(reduction != Reduction::none, "sample_error: reduction must be mean or sum (none); {}", pred);
  const Tensor p = pred.contiguous(), t = target.contiguous();
  const int64_t rows = p.shape()[0];
  Tensor out = empty({rows}, acc_dtype(p.dtype()), p.device());
  scope.writes(out);
  scope.flops(3 * p.numel());
  const double divisor = sample_divisor(p, reduction);
  on_device(p.device(), [&](auto backend) { squared_error_kernel(backend, p, t, rows, divisor, out); });
  return out;
}

PairGrads sample_error_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, Reduction reduction,
                                bool needs_pred, bool needs_target) {
  const OpScope scope("sample_error_backward", grad, pred, target);
  const Tensor p = pred.contiguous(), t = target.contiguous(), g = grad.contiguous();
  PairGrads grads;
  if (needs_pred) grads.pred = empty(p.shape(), p.dtype(), p.device());
  if (needs_target) grads.target = empty(t.shape(), t.dtype(), t.device());
  scope.writes(grads.pred);
  scope.writes(grads.target);
  scope.flops(2 * p.numel());
  const double divisor = sample_divisor(p, reduction);
  on_device(p.device(),
            [&](auto backend) { squared_error_backward_kernel(backend, g, p, t, divisor, grads.pred, grads.target); });
  return grads;
}

}  // namespace plumb
