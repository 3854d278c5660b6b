#include "engine/ops/elementwise/binary.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/ops/elementwise/operands.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor apply(BinaryOp op, const Tensor& a, const Tensor& b) {
  const char* name = name_of(op);
  const OpScope scope(name, a, b);
  check_operands(name, a, b);
  require<DTypeError>(a.dtype() != DType::boolean || gives_bool(op), "{}: does not take bool; {} and {}", name, a, b);
  const DType dtype = gives_bool(op) ? DType::boolean : a.dtype();
  Tensor out = a.shape() == b.shape() ? empty_like(a, dtype) : empty_broadcast(name, a, b, dtype);
  scope.elementwise(out);
  if (out.numel() > 0) on_device(a.device(), [&](auto backend) { binary_kernel(backend, op, a, b, out); });
  return out;
}

Tensor apply(BinaryOp op, const Tensor& x, double value, bool scalar_left = false) {
  const char* name = name_of(op);
  const OpScope scope(name, x);
  check_scalar(name, x, value);
  require<DTypeError>(x.dtype() != DType::boolean || gives_bool(op), "{}: does not take bool; {}", name, x);
  Tensor out = empty_like(x, gives_bool(op) ? DType::boolean : x.dtype());
  scope.elementwise(out);
  if (out.numel() > 0)
    on_device(x.device(), [&](auto backend) { binary_scalar_kernel(backend, op, x, value, scalar_left, out); });
  return out;
}

Tensor apply_ternary(TernaryOp op, const Tensor& a, const Tensor& b, const Tensor& c) {
  const char* name = name_of(op);
  const OpScope scope(name, a, b, c);
  check_operands(name, a, b);
  check_operands(name, a, c);
  const Shape shape = broadcast_shapes(name, broadcast_shapes(name, a.shape(), b.shape()), c.shape());
  Tensor out = empty_result(shape, a, a.dtype());
  scope.elementwise(out);
  if (out.numel() > 0) on_device(a.device(), [&](auto backend) { ternary_kernel(backend, op, a, b, c, out); });
  return out;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return apply(BinaryOp::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return apply(BinaryOp::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return apply(BinaryOp::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return apply(BinaryOp::div, a, b); }
Tensor pow(const Tensor& base, const Tensor& exponent) { return apply(BinaryOp::pow, base, exponent); }
Tensor maximum(const Tensor& a, const Tensor& b) { return apply(BinaryOp::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return apply(BinaryOp::minimum, a, b); }

Tensor add(const Tensor& a, double b) { return apply(BinaryOp::add, a, b); }
Tensor sub(const Tensor& a, double b) { return apply(BinaryOp::sub, a, b); }
Tensor sub(double a, const Tensor& b) { return apply(BinaryOp::sub, b, a, true); }
Tensor mul(const Tensor& a, double b) { return apply(BinaryOp::mul, a, b); }
Tensor div(const Tensor& a, double b) { return apply(BinaryOp::div, a, b); }
Tensor div(double a, const Tensor& b) { return apply(BinaryOp::div, b, a, true); }
Tensor maximum(const Tensor& a, double b) { return apply(BinaryOp::maximum, a, b); }
Tensor minimum(const Tensor& a, double b) { return apply(BinaryOp::minimum, a, b); }

Tensor pow(const Tensor& base, double exponent) {
  if (exponent == 2) return square(base);
  if (exponent == 0.5) return sqrt(base);
  if (exponent == -1) return reciprocal(base);
  if (exponent == -0.5) return rsqrt(base);
  if (exponent == 1) return base.clone();
  return apply(BinaryOp::pow, base, exponent);
}

Tensor add_scaled(const Tensor& a, const Tensor& b, double scale) {
  const OpScope scope("add_scaled", a, b);
  check_operands("add_scaled", a, b);
  Tensor out = empty_broadcast("add_scaled", a, b, a.dtype());
  scope.elementwise(out, 2);
  const Tensor factor = scalar_like(a, scale);
  if (out.numel() > 0)
    on_device(a.device(), [&](auto backend) { ternary_kernel(backend, TernaryOp::add_scaled, a, b, factor, out); });
  return out;
}

Tensor div_backward_divisor(const Tensor& grad, const Tensor& a, const Tensor& b) {
  return apply_ternary(TernaryOp::div_backward_divisor, grad, a, b);
}
Tensor maximum_backward(const Tensor& grad, const Tensor& kept, const Tensor& other) {
  return apply_ternary(TernaryOp::maximum_backward, grad, kept, other);
}
Tensor minimum_backward(const Tensor& grad, const Tensor& kept, const Tensor& other) {
  return apply_ternary(TernaryOp::minimum_backward, grad, kept, other);
}
Tensor pow_backward_base(const Tensor& grad, const Tensor& base, const Tensor& exponent) {
  return apply_ternary(TernaryOp::pow_backward_base, grad, base, exponent);
}
Tensor pow_backward_exponent(const Tensor& grad, const Tensor& base, const Tensor& exponent) {
  return apply_ternary(TernaryOp::pow_backward_exponent, grad, base, exponent);
}

Tensor eq(const Tensor& a, const Tensor& b) { return apply(BinaryOp::eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return apply(BinaryOp::ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return apply(BinaryOp::lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return apply(BinaryOp::le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return apply(BinaryOp::gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return apply(BinaryOp::ge, a, b); }
Tensor eq(const Tensor& a, double b) { return apply(BinaryOp::eq, a, b); }
Tensor ne(const Tensor& a, double b) { return apply(BinaryOp::ne, a, b); }
Tensor lt(const Tensor& a, double b) { return apply(BinaryOp::lt, a, b); }
Tensor le(const Tensor& a, double b) { return apply(BinaryOp::le, a, b); }
Tensor gt(const Tensor& a, double b) { return apply(BinaryOp::gt, a, b); }
Tensor ge(const Tensor& a, double b) { return apply(BinaryOp::ge, a, b); }
Tensor logical_and(const Tensor& a, const Tensor& b) { return apply(BinaryOp::logical_and, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return apply(BinaryOp::logical_or, a, b); }

}  // namespace plumb
