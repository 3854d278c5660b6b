#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Matrix product under torch's rules: the last two dimensions multiply, those before them broadcast.
///   out[…, i, j] = sum over k of a[…, i, k] * b[…, k, j]
/// a: [..., M, K] or [K] · b: [..., K, N] or [K] · returns [..., M, N]; a 1-D operand counts as one row (a) or one
/// column (b) and its dimension disappears again, so two 1-D operands give 0-d. K = 0 gives zeros. All dtypes but bool,
/// the same for both. 16-bit floats are multiplied in float and rounded once; integers wrap. Differentiable in a and b.
/// Throws ShapeError, DTypeError, DeviceError. A transposed or row-strided matrix is used where it lies; only one
/// without any dense dimension is copied. Matrices
/// [..., M, K] times one [K, N] run as a single product.
Tensor matmul(const Tensor& a, const Tensor& b);

/// Gradient of matmul's a, of shape a_shape: grad b^T, summed over the batch dimensions that were broadcast.
Tensor matmul_backward_a(const Tensor& grad, const Tensor& b, const Shape& a_shape);
/// Gradient of matmul's b, of shape b_shape: a^T grad, summed over the batch dimensions that were broadcast.
Tensor matmul_backward_b(const Tensor& grad, const Tensor& a, const Shape& b_shape);

}  // namespace plumb
