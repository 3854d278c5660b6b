#include "engine/ops/elementwise/unary.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor apply(UnaryOp op, const Tensor& x) {
  const OpScope scope(name_of(op), x);
  require<ValueError>(x.defined(), "{}: operand must be defined", name_of(op));
  require<DTypeError>(x.dtype() != DType::boolean || gives_bool(op), "{}: does not take bool; {}", name_of(op), x);
  Tensor out = gives_bool(op) ? empty_like(x, DType::boolean) : empty_like(x);
  scope.elementwise(out);
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { unary_kernel(backend, op, x, out); });
  return out;
}

Tensor apply_backward(UnaryOp op, const Tensor& grad, const Tensor& z) {
  const OpScope scope(backward_name_of(op), grad, z);
  require<ValueError>(grad.defined() && z.defined(), "{}_backward: operands must be defined", name_of(op));
  require<ShapeError>(grad.shape() == z.shape(), "{}_backward: operands must have one shape; {} and {}", name_of(op),
                      grad, z);
  require<DTypeError>(grad.dtype() == z.dtype(), "{}_backward: operands must have one dtype; {} and {}", name_of(op),
                      grad, z);
  Tensor out = empty_like(z);
  scope.elementwise(out, 2);
  if (z.numel() > 0) on_device(z.device(), [&](auto backend) { unary_backward_kernel(backend, op, grad, z, out); });
  return out;
}

}  // namespace

Tensor abs(const Tensor& x) { return apply(UnaryOp::abs, x); }
Tensor abs_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::abs, grad, x); }

Tensor neg(const Tensor& x) { return apply(UnaryOp::neg, x); }
Tensor exp(const Tensor& x) { return apply(UnaryOp::exp, x); }
Tensor exp_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::exp, grad, y); }

Tensor expm1(const Tensor& x) { return apply(UnaryOp::expm1, x); }
Tensor expm1_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::expm1, grad, y); }

Tensor log(const Tensor& x) { return apply(UnaryOp::log, x); }
Tensor log_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::log, grad, x); }

Tensor log1p(const Tensor& x) { return apply(UnaryOp::log1p, x); }
Tensor log1p_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::log1p, grad, x); }

Tensor sqrt(const Tensor& x) { return apply(UnaryOp::sqrt, x); }
Tensor sqrt_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::sqrt, grad, y); }

Tensor rsqrt(const Tensor& x) { return apply(UnaryOp::rsqrt, x); }
Tensor rsqrt_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::rsqrt, grad, y); }

Tensor reciprocal(const Tensor& x) { return apply(UnaryOp::reciprocal, x); }
Tensor reciprocal_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::reciprocal, grad, y); }

Tensor square(const Tensor& x) { return apply(UnaryOp::square, x); }
Tensor square_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::square, grad, x); }

Tensor sin(const Tensor& x) { return apply(UnaryOp::sin, x); }
Tensor sin_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::sin, grad, x); }

Tensor cos(const Tensor& x) { return apply(UnaryOp::cos, x); }
Tensor cos_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::cos, grad, x); }

Tensor tanh(const Tensor& x) { return apply(UnaryOp::tanh, x); }
Tensor tanh_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::tanh, grad, y); }

Tensor sigmoid(const Tensor& x) { return apply(UnaryOp::sigmoid, x); }
Tensor sigmoid_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::sigmoid, grad, y); }

Tensor logsigmoid(const Tensor& x) { return apply(UnaryOp::logsigmoid, x); }
Tensor logsigmoid_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::logsigmoid, grad, x); }

Tensor softplus(const Tensor& x) { return apply(UnaryOp::softplus, x); }
Tensor softplus_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::softplus, grad, x); }

Tensor relu(const Tensor& x) { return apply(UnaryOp::relu, x); }
Tensor relu_backward(const Tensor& grad, const Tensor& y) { return apply_backward(UnaryOp::relu, grad, y); }

Tensor silu(const Tensor& x) { return apply(UnaryOp::silu, x); }
Tensor silu_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::silu, grad, x); }

Tensor silu_with_derivative(const Tensor& x, Tensor& derivative) {
  const OpScope scope("silu_with_derivative", x);
  require<DTypeError>(x.dtype() == DType::f32 || x.dtype() == DType::f64, "silu_with_derivative: takes f32 or f64; {}",
                      x);
  const Tensor dense = x.contiguous();
  Tensor out = empty_like(dense);
  derivative = empty_like(dense);
  scope.elementwise(out, 2);
  scope.writes(derivative);
  if (x.numel() > 0)
    on_device(x.device(), [&](auto backend) { silu_with_derivative_kernel(backend, dense, out, derivative); });
  return out;
}

Tensor erf(const Tensor& x) { return apply(UnaryOp::erf, x); }
Tensor erf_backward(const Tensor& grad, const Tensor& x) { return apply_backward(UnaryOp::erf, grad, x); }

Tensor sign(const Tensor& x) { return apply(UnaryOp::sign, x); }
Tensor floor(const Tensor& x) { return apply(UnaryOp::floor, x); }
Tensor ceil(const Tensor& x) { return apply(UnaryOp::ceil, x); }
Tensor round(const Tensor& x) { return apply(UnaryOp::round, x); }

namespace {
UnaryOp gelu_op(GeluForm form) { return form == GeluForm::tanh ? UnaryOp::gelu_tanh : UnaryOp::gelu; }
}  // namespace

Tensor gelu(const Tensor& x, GeluForm form) { return apply(gelu_op(form), x); }
Tensor gelu_backward(const Tensor& grad, const Tensor& x, GeluForm form) {
  return apply_backward(gelu_op(form), grad, x);
}

Tensor logical_not(const Tensor& x) { return apply(UnaryOp::logical_not, x); }
Tensor isnan(const Tensor& x) {
  return is_floating(x.dtype()) ? apply(UnaryOp::isnan, x) : full(x.shape(), 0, DType::boolean, x.device());
}
Tensor isfinite(const Tensor& x) {
  return is_floating(x.dtype()) ? apply(UnaryOp::isfinite, x) : full(x.shape(), 1, DType::boolean, x.device());
}

}  // namespace plumb
