#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Picks one element of x per entry of index, along dim:
///   out[i, j, k] = x[index[i, j, k], j, k]        (dim = 0, and likewise for the others)
/// x: any dtype · index: i64 or i32, of x's rank, no larger than x but along dim · returns index's shape
/// Differentiable in x (scatter_add of the gradient).
/// Throws IndexError naming the position, the value and the range before anything is written; ShapeError, DTypeError.
Tensor gather(const Tensor& x, int64_t dim, const Tensor& index);

/// A copy of x with src added where index points, along dim:
///   out[index[i, j, k], j, k] += src[i, j, k]        (dim = 0)
/// x, src: one numeric dtype · index: i64 or i32, of x's rank, no larger than src, nor than x but along dim
/// Differentiable in x and src (gather of the gradient). Elements that meet in one place add up in order of occurrence
/// along dim, whatever the number of threads; 16-bit floats are summed in float and rounded once. Throws as gather
/// does.
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);

}  // namespace plumb
