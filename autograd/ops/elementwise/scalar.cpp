// Arithmetic with one operand a plain number.

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"

namespace plumb {

Variable add(const Variable& a, double b) {
  return record("add", add(a.value(), b), {a}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(grad); });
}

Variable sub(const Variable& a, double b) {
  return record("sub", sub(a.value(), b), {a}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(grad); });
}

Variable sub(double a, const Variable& b) {
  return record("sub", sub(a, b.value()), {b}, save(),
                [](const Saved&, const Tensor& grad, Needs) { return Grads(neg(grad)); });
}

Variable mul(const Variable& a, double b) {
  return record("mul", mul(a.value(), b), {a}, save(),
                [b](const Saved&, const Tensor& grad, Needs) { return Grads(mul(grad, b)); });
}

Variable div(const Variable& a, double b) {
  return record("div", div(a.value(), b), {a}, save(),
                [b](const Saved&, const Tensor& grad, Needs) { return Grads(div(grad, b)); });
}

Variable div(double a, const Variable& b) {
  return record("div", div(a, b.value()), {b}, save(b.value()), [a](const Saved& saved, const Tensor& grad, Needs) {
    return Grads(div_backward_divisor(grad, full({}, a, grad.dtype(), grad.device()), saved[0]));
  });
}

Variable pow(const Variable& base, double exponent) {
  return record("pow", pow(base.value(), exponent), {base}, save(base.value()),
                [exponent](const Saved& saved, const Tensor& grad, Needs) {
                  if (exponent == 0) return Grads(zeros_like(grad));
                  return Grads(mul(grad, mul(pow(saved[0], exponent - 1), exponent)));
                });
}

Variable maximum(const Variable& a, double b) {
  return record("maximum", maximum(a.value(), b), {a}, save(a.value()),
                [b](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(maximum_backward(grad, saved[0], full({}, b, grad.dtype(), grad.device())));
                });
}

Variable minimum(const Variable& a, double b) {
  return record("minimum", minimum(a.value(), b), {a}, save(a.value()),
                [b](const Saved& saved, const Tensor& grad, Needs) {
                  return Grads(minimum_backward(grad, saved[0], full({}, b, grad.dtype(), grad.device())));
                });
}

}  // namespace plumb
