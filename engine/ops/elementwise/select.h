#pragma once

#include <limits>

#include "engine/tensor.h"

namespace plumb {

/// a where condition holds, else b, element by element. condition: bool; a, b: one dtype, any; all three broadcast to
/// one shape. A double stands for a 0-d tensor of the other's dtype.
/// Throws DTypeError when the condition is not bool or a and b differ, ShapeError, DeviceError.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);

struct ClampBounds {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};
/// min(max(x, bounds.min), bounds.max): max wins when the bounds cross, NaN comes through. Numbers; on integers a bound
/// must be a whole number or infinite (ValueError).
Tensor clamp(const Tensor& x, const ClampBounds& bounds);
/// grad where bounds.min <= x <= bounds.max, else 0. Floats only.
Tensor clamp_backward(const Tensor& grad, const Tensor& x, const ClampBounds& bounds);

}  // namespace plumb
