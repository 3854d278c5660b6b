#pragma once

#include "autograd/variable.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/ops/elementwise/mish.h"
#include "engine/ops/elementwise/quick_gelu.h"
#include "engine/ops/elementwise/select.h"
#include "engine/ops/elementwise/unary.h"

// The elementwise ops on Variables: names, shapes, dtypes and errors as on Tensors. Each is differentiable in every
// floating operand; gradients of broadcast operands are summed back to their shape. Saved for backward: the input or
// the output of a function of one element, whichever its derivative is written in; of two, only what the operands that
// need a gradient ask for.

namespace plumb {

Variable abs(const Variable& x);
Variable neg(const Variable& x);
Variable exp(const Variable& x);
Variable expm1(const Variable& x);
Variable log(const Variable& x);
Variable log1p(const Variable& x);
Variable sqrt(const Variable& x);
Variable rsqrt(const Variable& x);
Variable reciprocal(const Variable& x);
Variable square(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);
Variable logsigmoid(const Variable& x);
Variable softplus(const Variable& x);
Variable relu(const Variable& x);
Variable silu(const Variable& x);
Variable erf(const Variable& x);
Variable sign(const Variable& x);
Variable floor(const Variable& x);
Variable ceil(const Variable& x);
Variable round(const Variable& x);
Variable gelu(const Variable& x, GeluForm form = GeluForm::exact);
Variable geglu(const Variable& x);
Variable mish(const Variable& x);
Variable quick_gelu(const Variable& x);
inline Variable operator-(const Variable& x) { return neg(x); }

Variable add(const Variable& a, const Variable& b);
Variable sub(const Variable& a, const Variable& b);
Variable mul(const Variable& a, const Variable& b);
Variable div(const Variable& a, const Variable& b);
/// The gradient in the exponent is NaN where the base is negative.
Variable pow(const Variable& base, const Variable& exponent);
/// Equal elements share the gradient half and half.
Variable maximum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, const Variable& b);

Variable add(const Variable& a, double b);
Variable sub(const Variable& a, double b);
Variable sub(double a, const Variable& b);
Variable mul(const Variable& a, double b);
Variable div(const Variable& a, double b);
Variable div(double a, const Variable& b);
Variable pow(const Variable& base, double exponent);
Variable maximum(const Variable& a, double b);
Variable minimum(const Variable& a, double b);
/// a + scale * b
Variable add_scaled(const Variable& a, const Variable& b, double scale);

inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }
inline Variable operator+(const Variable& a, double b) { return add(a, b); }
inline Variable operator+(double a, const Variable& b) { return add(b, a); }
inline Variable operator-(const Variable& a, double b) { return sub(a, b); }
inline Variable operator-(double a, const Variable& b) { return sub(a, b); }
inline Variable operator*(const Variable& a, double b) { return mul(a, b); }
inline Variable operator*(double a, const Variable& b) { return mul(b, a); }
inline Variable operator/(const Variable& a, double b) { return div(a, b); }
inline Variable operator/(double a, const Variable& b) { return div(a, b); }

/// The condition is a constant; the gradient goes to the operand that was chosen.
Variable where(const Tensor& condition, const Variable& a, const Variable& b);
Variable where(const Tensor& condition, const Variable& a, double b);
Variable where(const Tensor& condition, double a, const Variable& b);
/// The gradient is 1 between the bounds, both included, and 0 outside.
Variable clamp(const Variable& x, const ClampBounds& bounds);

}  // namespace plumb
