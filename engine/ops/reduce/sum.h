#pragma once

#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// Sum over `dims` (empty = all; negative count from the end).
/// x: any shape, any dtype · returns the shape without `dims`, or with size 1 there; integers and bool give i64.
/// Differentiable in x. The sum of nothing is 0.
/// Throws IndexError for a dim out of range, ValueError for a repeated one.
/// Accumulated in Acc<T> as a pairwise tree: the error grows with the logarithm of the length, and the bits depend on
/// sizes and strides alone.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// Mean over `dims`: sum / count, divided before rounding to the dtype of x. The mean of nothing is NaN.
/// x: floating, any shape · Differentiable in x · Throws as sum does, and DTypeError for integers.
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// Undoes broadcasting: sums x over the dimensions along which a tensor of `shape` was repeated to get x's shape.
/// x: numeric · returns `shape` with x's dtype; x itself when it has that shape already.
/// Differentiable in x · Throws ShapeError when `shape` does not broadcast to x's shape.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// Gradients: grad (the shape of the result) spread over the input's shape. That of a sum is a view with stride 0.
Tensor sum_backward(const Tensor& grad, const Shape& shape, DimMask mask);
Tensor mean_backward(const Tensor& grad, const Shape& shape, DimMask mask);

}  // namespace plumb
