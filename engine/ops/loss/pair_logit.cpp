#include "engine/ops/loss/pair_logit.h"

#include "engine/format.h"
#include "engine/ops/loss/pair_logit_kernels.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_pairs(const char* op, const Tensor& pred, Reduction reduction) {
  require<ShapeError>(pred.rank() >= 1 && pred.shape()[0] % 2 == 0, "{}: input must be [2B, ...]; {}", op, pred);
  require<ValueError>(reduction != Reduction::none, "{}: reduction must be mean or sum (none); {}", op, pred);
}

}  // namespace

PairLogit pair_logit(const Tensor& pred, const Tensor& ref, const Tensor& target, double beta, Reduction reduction) {
  const OpScope scope("pair_logit", pred, ref, target);
  check_error_operands("pair_logit", pred, target);
  check_error_operands("pair_logit", pred, ref, "ref");
  check_pairs("pair_logit", pred, reduction);
  const int64_t rows = pred.shape()[0];
  const auto room = [&](int64_t count) { return empty({count}, acc_dtype(pred.dtype()), pred.device()); };
  PairLogit out{room(rows / 2), room(rows), room(rows), room(rows)};
  scope.writes(out.logit);
  scope.flops(12 * pred.numel());
  const Tensor p = pred.contiguous(), r = ref.contiguous(), t = target.contiguous();
  if (rows > 0)
    on_device(p.device(), [&](auto backend) {
      pair_logit_kernel(backend, {p, r, t, sample_divisor(p, reduction), -beta / 2}, out);
    });
  return out;
}

Tensor pair_logit_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, double beta,
                           Reduction reduction) {
  const OpScope scope("pair_logit_backward", grad, pred, target);
  check_error_operands("pair_logit_backward", pred, target);
  check_pairs("pair_logit_backward", pred, reduction);
  require<ShapeError>(grad.shape() == Shape{pred.shape()[0] / 2},
                      "pair_logit_backward: grad must be one a pair; {}, {}", grad, pred);
  const Tensor p = pred.contiguous(), t = target.contiguous();
  const Tensor g = grad.to(acc_dtype(p.dtype())).contiguous();
  Tensor out = empty(p.shape(), p.dtype(), p.device());
  scope.elementwise(out, 2);
  if (out.numel() > 0)
    on_device(p.device(), [&](auto backend) {
      pair_logit_backward_kernel(backend, g, {p, p, t, sample_divisor(p, reduction), -beta / 2}, out);
    });
  return out;
}

}  // namespace plumb
