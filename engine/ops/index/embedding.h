#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Rows of a table by number: out[..., :] = weight[indices[...], :].
/// indices: any shape, i64 or i32 · weight: [V, D], any dtype · returns indices.shape + [D]
/// Differentiable in weight. Throws IndexError naming the position, the value and the range before anything is written,
/// ShapeError, DTypeError, DeviceError.
Tensor embedding(const Tensor& indices, const Tensor& weight);

/// Gradient of embedding's weight: [rows, D], zero where no index pointed. Rows that were read more than once add up in
/// order of occurrence (16-bit floats in f32), whatever the number of threads.
Tensor embedding_backward(const Tensor& grad, const Tensor& indices, int64_t rows);

}  // namespace plumb
