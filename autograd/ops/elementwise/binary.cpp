// Operands of one shape take the short way: no shapes to remember, nothing to sum back.

#include "autograd/ops/elementwise.h"
#include "autograd/record.h"
#include "engine/ops/reduce/sum.h"

namespace plumb {
namespace {

/// Records y = op(a, b). `rule(saved, grad, needs)` gives gradients of y's shape; they are summed back to a's and b's.
template <class Rule>
Variable record_binary(const char* name, const Variable& a, const Variable& b, Tensor y, const Saves& saves,
                       Rule rule) {
  if (a.shape() == b.shape()) return record(name, std::move(y), {a, b}, saves, rule);
  return record(name, std::move(y), {a, b}, saves,
                [rule, shape_a = a.shape(), shape_b = b.shape()](const Saved& saved, const Tensor& grad, Needs needs) {
                  Grads grads = rule(saved, grad, needs);
                  if (grads[0].defined()) grads[0] = sum_to(grads[0], shape_a);
                  if (grads[1].defined()) grads[1] = sum_to(grads[1], shape_b);
                  return grads;
                });
}

/// x itself if it will be needed, else nothing.
const Tensor& kept_if(bool needed, const Variable& x) {
  static const Tensor nothing;
  return needed ? x.value() : nothing;
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
  return record_binary("add", a, b, add(a.value(), b.value()), save(),
                       [](const Saved&, const Tensor& grad, Needs needs) {
                         return Grads(needs[0] ? grad : Tensor(), needs[1] ? grad : Tensor());
                       });
}

Variable sub(const Variable& a, const Variable& b) {
  return record_binary("sub", a, b, sub(a.value(), b.value()), save(),
                       [](const Saved&, const Tensor& grad, Needs needs) {
                         return Grads(needs[0] ? grad : Tensor(), needs[1] ? neg(grad) : Tensor());
                       });
}

Variable mul(const Variable& a, const Variable& b) {
  const Needs needs = needs_of({a, b});
  return record_binary("mul", a, b, mul(a.value(), b.value()), save(kept_if(needs[1], a), kept_if(needs[0], b)),
                       [](const Saved& saved, const Tensor& grad, Needs wanted) {
                         return Grads(wanted[0] ? mul(grad, saved[1]) : Tensor(),
                                      wanted[1] ? mul(grad, saved[0]) : Tensor());
                       });
}

Variable div(const Variable& a, const Variable& b) {
  const Needs needs = needs_of({a, b});
  return record_binary("div", a, b, div(a.value(), b.value()), save(kept_if(needs[1], a), kept_if(needs.any(), b)),
                       [](const Saved& saved, const Tensor& grad, Needs wanted) {
                         return Grads(wanted[0] ? div(grad, saved[1]) : Tensor(),
                                      wanted[1] ? div_backward_divisor(grad, saved[0], saved[1]) : Tensor());
                       });
}

Variable pow(const Variable& base, const Variable& exponent) {
  return record_binary("pow", base, exponent, pow(base.value(), exponent.value()), save(base.value(), exponent.value()),
                       [](const Saved& saved, const Tensor& grad, Needs wanted) {
                         return Grads(wanted[0] ? pow_backward_base(grad, saved[0], saved[1]) : Tensor(),
                                      wanted[1] ? pow_backward_exponent(grad, saved[0], saved[1]) : Tensor());
                       });
}

Variable maximum(const Variable& a, const Variable& b) {
  return record_binary("maximum", a, b, maximum(a.value(), b.value()), save(a.value(), b.value()),
                       [](const Saved& saved, const Tensor& grad, Needs wanted) {
                         return Grads(wanted[0] ? maximum_backward(grad, saved[0], saved[1]) : Tensor(),
                                      wanted[1] ? maximum_backward(grad, saved[1], saved[0]) : Tensor());
                       });
}

Variable minimum(const Variable& a, const Variable& b) {
  return record_binary("minimum", a, b, minimum(a.value(), b.value()), save(a.value(), b.value()),
                       [](const Saved& saved, const Tensor& grad, Needs wanted) {
                         return Grads(wanted[0] ? minimum_backward(grad, saved[0], saved[1]) : Tensor(),
                                      wanted[1] ? minimum_backward(grad, saved[1], saved[0]) : Tensor());
                       });
}

Variable add_scaled(const Variable& a, const Variable& b, double scale) {
  return record_binary("add_scaled", a, b, add_scaled(a.value(), b.value(), scale), save(),
                       [scale](const Saved&, const Tensor& grad, Needs needs) {
                         return Grads(needs[0] ? grad : Tensor(), needs[1] ? mul(grad, scale) : Tensor());
                       });
}

}  // namespace plumb
