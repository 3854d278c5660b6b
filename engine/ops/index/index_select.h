#pragma once

#include "engine/tensor.h"

namespace plumb {

/// The parts of x at the listed positions along dim, in that order: out[…, i, …] = x[…, index[i], …].
/// x: any dtype · index: [n], i64 or i32 (0-d counts as [1]) · returns x's shape with n along dim
/// Differentiable in x. Throws IndexError naming the position, the value and the range before anything is written;
/// ShapeError, DTypeError, DeviceError.
Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index);

/// Gradient of index_select: zeros of `shape`, x's shape, with grad's parts added in order of occurrence.
Tensor index_select_backward(const Tensor& grad, const Shape& shape, int64_t dim, const Tensor& index);

}  // namespace plumb
