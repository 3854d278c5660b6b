#pragma once

#include "engine/tensor.h"

// Checks and output layout shared by the elementwise ops of two and three operands.

namespace plumb {

/// Throws ValueError unless both are defined, DTypeError and DeviceError unless they agree.
void check_operands(const char* op, const Tensor& a, const Tensor& b);

/// Uninitialised output of `shape`: channels-last when `like` has that shape and that order, else contiguous.
Tensor empty_result(const Shape& shape, const Tensor& like, DType dtype);

/// The same for the shape a and b broadcast to, after the first of them that has it. Throws ShapeError.
Tensor empty_broadcast(const char* op, const Tensor& a, const Tensor& b, DType dtype);

/// Throws ValueError when `value` is not a whole number that fits 64 bits and x is not floating.
void check_scalar(const char* op, const Tensor& x, double value);

/// 0-d tensor that kernels read as a scalar of x's dtype: 16-bit floats get an f32 one, so nothing is rounded away.
Tensor scalar_like(const Tensor& x, double value);

}  // namespace plumb
