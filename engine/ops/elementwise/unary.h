#pragma once

#include "engine/tensor.h"

// Functions of one element, applied to every element of x. All return a tensor of x's shape and dtype (bool for the
// predicates at the end), channels-last if x is. They take floating tensors, and integers where the comment says
// *Numbers*; 16-bit floats are computed in float and rounded once. DTypeError otherwise.
//
// `<op>_backward(grad, x)` or `(grad, y)` gives grad times the derivative, written in the input x or the output y =
// op(x), whichever is cheaper. grad and the other operand have one shape and dtype: ShapeError, DTypeError otherwise.

namespace plumb {

/// |x|. Numbers.
Tensor abs(const Tensor& x);
/// grad * sign(x)
Tensor abs_backward(const Tensor& grad, const Tensor& x);

/// -x. Numbers.
Tensor neg(const Tensor& x);
/// e^x.
Tensor exp(const Tensor& x);
/// grad * y
Tensor exp_backward(const Tensor& grad, const Tensor& y);

/// e^x - 1, accurate near zero.
Tensor expm1(const Tensor& x);
/// grad * (y + 1)
Tensor expm1_backward(const Tensor& grad, const Tensor& y);

/// Natural logarithm: -inf at 0, NaN below.
Tensor log(const Tensor& x);
/// grad / x
Tensor log_backward(const Tensor& grad, const Tensor& x);

/// log(1 + x), accurate near zero.
Tensor log1p(const Tensor& x);
/// grad / (1 + x)
Tensor log1p_backward(const Tensor& grad, const Tensor& x);

/// Square root; NaN below zero.
Tensor sqrt(const Tensor& x);
/// grad / (2 y)
Tensor sqrt_backward(const Tensor& grad, const Tensor& y);

/// 1 / sqrt(x).
Tensor rsqrt(const Tensor& x);
/// -grad y^3 / 2
Tensor rsqrt_backward(const Tensor& grad, const Tensor& y);

/// 1 / x.
Tensor reciprocal(const Tensor& x);
/// -grad y^2
Tensor reciprocal_backward(const Tensor& grad, const Tensor& y);

/// x^2. Numbers.
Tensor square(const Tensor& x);
/// 2 grad x
Tensor square_backward(const Tensor& grad, const Tensor& x);

/// Sine of x in radians.
Tensor sin(const Tensor& x);
/// grad cos(x)
Tensor sin_backward(const Tensor& grad, const Tensor& x);

/// Cosine of x in radians.
Tensor cos(const Tensor& x);
/// -grad sin(x)
Tensor cos_backward(const Tensor& grad, const Tensor& x);

/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// grad (1 - y^2)
Tensor tanh_backward(const Tensor& grad, const Tensor& y);

/// 1 / (1 + e^-x).
Tensor sigmoid(const Tensor& x);
/// grad y (1 - y)
Tensor sigmoid_backward(const Tensor& grad, const Tensor& y);

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|): finite for every finite x.
Tensor logsigmoid(const Tensor& x);
/// grad sigmoid(-x)
Tensor logsigmoid_backward(const Tensor& grad, const Tensor& x);

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): finite for every finite x.
Tensor softplus(const Tensor& x);
/// grad sigmoid(x)
Tensor softplus_backward(const Tensor& grad, const Tensor& x);

/// max(x, 0); NaN comes through. Numbers.
Tensor relu(const Tensor& x);
/// grad where y > 0, else 0
Tensor relu_backward(const Tensor& grad, const Tensor& y);

/// x sigmoid(x), also called swish [Elfwing et al. 2017].
Tensor silu(const Tensor& x);
/// grad s (1 + x (1 - s)), s = sigmoid(x)
Tensor silu_backward(const Tensor& grad, const Tensor& x);
/// silu(x), and in `derivative` s (1 + x (1 - s)): the backward pass is then one multiplication, and the exponential
/// and the division, which are most of the work, are done once. x: f32 or f64, any layout; both results contiguous.
Tensor silu_with_derivative(const Tensor& x, Tensor& derivative);

/// 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
Tensor erf(const Tensor& x);
/// grad 2/sqrt(pi) e^(-x^2)
Tensor erf_backward(const Tensor& grad, const Tensor& x);

/// -1, 0 or 1; 0 for NaN. Numbers. The gradient is zero.
Tensor sign(const Tensor& x);
/// Largest integer <= x. The gradient is zero.
Tensor floor(const Tensor& x);
/// Smallest integer >= x. The gradient is zero.
Tensor ceil(const Tensor& x);
/// Nearest integer, ties to even. The gradient is zero.
Tensor round(const Tensor& x);

enum class GeluForm : uint8_t {
  exact,  ///< x Phi(x), with the error function
  tanh,   ///< 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
};
/// Gaussian error linear unit [Hendrycks & Gimpel 2016].
Tensor gelu(const Tensor& x, GeluForm form = GeluForm::exact);
/// grad (Phi(x) + x phi(x)), or the derivative of the tanh form.
Tensor gelu_backward(const Tensor& grad, const Tensor& x, GeluForm form = GeluForm::exact);

// Predicates, of any dtype; the result is bool.
/// x == 0.
Tensor logical_not(const Tensor& x);
/// x is not a number; false for integers.
Tensor isnan(const Tensor& x);
/// x is neither infinite nor NaN; true for integers.
Tensor isfinite(const Tensor& x);

inline Tensor operator-(const Tensor& x) { return neg(x); }

}  // namespace plumb
