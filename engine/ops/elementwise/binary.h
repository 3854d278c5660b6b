#pragma once

#include "engine/tensor.h"

// Arithmetic on two operands that broadcast to one shape under NumPy's rules. Both have the same dtype (DTypeError) and
// device (DeviceError); there is no implicit conversion. A double is a scalar of the tensor's dtype: on 16-bit floats
// it is not rounded before it is used, on integers it must be a whole number (ValueError). The result has the operands'
// dtype; it is channels-last if the first operand of the result's shape is. Shapes that do not broadcast: ShapeError.

namespace plumb {

/// a + b. Numbers; integers wrap.
Tensor add(const Tensor& a, const Tensor& b);
/// a - b. Numbers.
Tensor sub(const Tensor& a, const Tensor& b);
/// a * b. Numbers.
Tensor mul(const Tensor& a, const Tensor& b);
/// a / b. Floats only.
Tensor div(const Tensor& a, const Tensor& b);
/// base^exponent; NaN for a negative base and a fractional exponent. Floats only.
Tensor pow(const Tensor& base, const Tensor& exponent);
/// The larger one; NaN if either is. Numbers.
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller one; NaN if either is. Numbers.
Tensor minimum(const Tensor& a, const Tensor& b);

Tensor add(const Tensor& a, double b);
Tensor sub(const Tensor& a, double b);
Tensor sub(double a, const Tensor& b);
Tensor mul(const Tensor& a, double b);
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
/// Exponents 2, 1/2, -1, -1/2 and 1 go to square, sqrt, reciprocal, rsqrt and a copy.
Tensor pow(const Tensor& base, double exponent);
Tensor maximum(const Tensor& a, double b);
Tensor minimum(const Tensor& a, double b);
/// a + scale * b, in one pass. Floats only.
Tensor add_scaled(const Tensor& a, const Tensor& b, double scale);

// Gradients that need more than the ops above. All have the broadcast shape; summing them to an operand's shape is the
// caller's.
/// d(a / b)/db: -grad a / b^2.
Tensor div_backward_divisor(const Tensor& grad, const Tensor& a, const Tensor& b);
/// Gradient of maximum in `kept`: grad where kept > other, half of it where they are equal.
Tensor maximum_backward(const Tensor& grad, const Tensor& kept, const Tensor& other);
Tensor minimum_backward(const Tensor& grad, const Tensor& kept, const Tensor& other);
/// grad b a^(b - 1); 0 where b = 0.
Tensor pow_backward_base(const Tensor& grad, const Tensor& base, const Tensor& exponent);
/// grad a^b log(a); 0 where a = 0 and b >= 0.
Tensor pow_backward_exponent(const Tensor& grad, const Tensor& base, const Tensor& exponent);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, double b) { return sub(a, b); }
inline Tensor operator-(double a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator/(double a, const Tensor& b) { return div(a, b); }

}  // namespace plumb
