#pragma once

#include <optional>

#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// Largest (smallest) element over `dims` (empty = all), as torch.amax and amin.
/// x: any dtype · returns x's dtype and the shape without `dims`, or with size 1 there. A NaN wins.
/// Differentiable in x: equal extremes share the gradient evenly.
/// Throws ShapeError when there is no element to choose from, IndexError and ValueError for bad dims.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// Index of the first largest (smallest) element along `dim`, or in row-major order over the whole tensor without one.
/// x: any dtype · returns i64. The first NaN wins. Not differentiable.
/// Throws as max does.
Tensor argmax(const Tensor& x, std::optional<int64_t> dim = {}, bool keepdim = false);
Tensor argmin(const Tensor& x, std::optional<int64_t> dim = {}, bool keepdim = false);

/// Gradient of max and min alike. y: their result, grad: like y.
Tensor extremum_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask);

}  // namespace plumb
