// One record an op; the derivative is the engine's <op>_backward.

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"

namespace plumb {
namespace {

/// Records y = op(x) with the derivative written in `kept` (x or y).
template <Tensor (*backward)(const Tensor&, const Tensor&)>
Variable record_unary(const char* name, const Variable& x, Tensor y, const Tensor& kept) {
  return record(name, std::move(y), {x}, save(kept),
                [](const Saved& saved, const Tensor& grad, Needs) { return Grads(backward(grad, saved[0])); });
}

/// Records an op that is constant almost everywhere.
Variable record_flat(const char* name, const Variable& x, Tensor y) {
  return record(name, std::move(y), {x}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(zeros_like(grad)); });
}

}  // namespace

Variable abs(const Variable& x) { return record_unary<abs_backward>("abs", x, abs(x.value()), x.value()); }
Variable neg(const Variable& x) {
  return record("neg", neg(x.value()), {x}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(neg(grad)); });
}
Variable exp(const Variable& x) {
  Tensor y = exp(x.value());
  return record_unary<exp_backward>("exp", x, y, y);
}
Variable expm1(const Variable& x) {
  Tensor y = expm1(x.value());
  return record_unary<expm1_backward>("expm1", x, y, y);
}
Variable log(const Variable& x) { return record_unary<log_backward>("log", x, log(x.value()), x.value()); }
Variable log1p(const Variable& x) { return record_unary<log1p_backward>("log1p", x, log1p(x.value()), x.value()); }
Variable sqrt(const Variable& x) {
  Tensor y = sqrt(x.value());
  return record_unary<sqrt_backward>("sqrt", x, y, y);
}
Variable rsqrt(const Variable& x) {
  Tensor y = rsqrt(x.value());
  return record_unary<rsqrt_backward>("rsqrt", x, y, y);
}
Variable reciprocal(const Variable& x) {
  Tensor y = reciprocal(x.value());
  return record_unary<reciprocal_backward>("reciprocal", x, y, y);
}
Variable square(const Variable& x) { return record_unary<square_backward>("square", x, square(x.value()), x.value()); }
Variable sin(const Variable& x) { return record_unary<sin_backward>("sin", x, sin(x.value()), x.value()); }
Variable cos(const Variable& x) { return record_unary<cos_backward>("cos", x, cos(x.value()), x.value()); }
Variable tanh(const Variable& x) {
  Tensor y = tanh(x.value());
  return record_unary<tanh_backward>("tanh", x, y, y);
}
Variable sigmoid(const Variable& x) {
  Tensor y = sigmoid(x.value());
  return record_unary<sigmoid_backward>("sigmoid", x, y, y);
}
Variable logsigmoid(const Variable& x) {
  return record_unary<logsigmoid_backward>("logsigmoid", x, logsigmoid(x.value()), x.value());
}
Variable softplus(const Variable& x) {
  return record_unary<softplus_backward>("softplus", x, softplus(x.value()), x.value());
}
Variable relu(const Variable& x) {
  Tensor y = relu(x.value());
  return record_unary<relu_backward>("relu", x, y, y);
}
Variable silu(const Variable& x) {
  const Tensor& value = x.value();
  const bool wide = value.dtype() == DType::f32 || value.dtype() == DType::f64;
  // A channels-last image keeps its order, and a 16-bit one its size, by saving x instead.
  if (!needs_of({x})[0] || !wide || !value.is_contiguous())
    return record_unary<silu_backward>("silu", x, silu(value), value);
  Tensor derivative;
  Tensor y = silu_with_derivative(value, derivative);
  return record_unary<mul>("silu", x, std::move(y), derivative);
}
Variable erf(const Variable& x) { return record_unary<erf_backward>("erf", x, erf(x.value()), x.value()); }
Variable sign(const Variable& x) { return record_flat("sign", x, sign(x.value())); }
Variable floor(const Variable& x) { return record_flat("floor", x, floor(x.value())); }
Variable ceil(const Variable& x) { return record_flat("ceil", x, ceil(x.value())); }
Variable round(const Variable& x) { return record_flat("round", x, round(x.value())); }

Variable gelu(const Variable& x, GeluForm form) {
  return record(
      "gelu", gelu(x.value(), form), {x}, save(x.value()),
      [form](const Saved& saved, const Tensor& grad, Needs) { return Grads(gelu_backward(grad, saved[0], form)); });
}

}  // namespace plumb
