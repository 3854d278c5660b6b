#include "engine/ops/elementwise/select.h"

#include <cmath>

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/ops/elementwise/operands.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// `a` and `b` have been checked against each other; one may be a scalar_like of the other.
Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b, DType dtype) {
  const OpScope scope("where", condition, a, b);
  require<ValueError>(condition.defined(), "where: condition must be defined");
  require<DTypeError>(condition.dtype() == DType::boolean, "where: condition must be bool; {}", condition);
  const Shape shape = broadcast_shapes("where", broadcast_shapes("where", a.shape(), b.shape()), condition.shape());
  Tensor out = empty_result(shape, a.shape() == shape ? a : b, dtype);
  scope.elementwise(out);
  if (out.numel() > 0)
    on_device(a.device(), [&](auto backend) { ternary_kernel(backend, TernaryOp::where, condition, a, b, out); });
  return out;
}

Tensor bound_like(const Tensor& x, double bound) {
  if (is_floating(x.dtype())) return scalar_like(x, bound);
  // As wide as the kernel computes, so that an infinite bound of a narrow type does not wrap.
  using Limits = std::numeric_limits<int64_t>;
  if (std::isinf(bound)) return from_vector<int64_t>({bound < 0 ? Limits::min() : Limits::max()}, {});
  check_scalar("clamp", x, bound);
  return scalar(bound, DType::i64, x.device());
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_operands("where", a, b);
  return select(condition, a, b, a.dtype());
}
Tensor where(const Tensor& condition, const Tensor& a, double b) {
  check_scalar("where", a, b);
  return select(condition, a, scalar_like(a, b), a.dtype());
}
Tensor where(const Tensor& condition, double a, const Tensor& b) {
  check_scalar("where", b, a);
  return select(condition, scalar_like(b, a), b, b.dtype());
}

Tensor clamp(const Tensor& x, const ClampBounds& bounds) {
  const OpScope scope("clamp", x);
  require<ValueError>(x.defined(), "clamp: operand must be defined");
  require<DTypeError>(x.dtype() != DType::boolean, "clamp: does not take bool; {}", x);
  const Tensor low = bound_like(x, bounds.min), high = bound_like(x, bounds.max);
  Tensor out = empty_like(x);
  scope.elementwise(out, 2);
  if (x.numel() > 0)
    on_device(x.device(), [&](auto backend) { ternary_kernel(backend, TernaryOp::clamp, x, low, high, out); });
  return out;
}

Tensor clamp_backward(const Tensor& grad, const Tensor& x, const ClampBounds& bounds) {
  const OpScope scope("clamp_backward", grad, x);
  check_operands("clamp_backward", grad, x);
  require<DTypeError>(is_floating(x.dtype()), "clamp_backward: takes floating tensors; {}", x);
  require<ShapeError>(grad.shape() == x.shape(), "clamp_backward: operands must have one shape; {} and {}", grad, x);
  const Tensor low = bound_like(x, bounds.min), high = bound_like(x, bounds.max);
  Tensor out = empty_like(x);
  scope.elementwise(out, 3);
  if (x.numel() == 0) return out;
  Tensor inside = empty_like(x, DType::boolean);
  on_device(x.device(), [&](auto backend) {
    ternary_kernel(backend, TernaryOp::clamp_mask, x, low, high, inside);
    ternary_kernel(backend, TernaryOp::where, inside, grad, scalar_like(x, 0), out);
  });
  return out;
}

}  // namespace plumb
