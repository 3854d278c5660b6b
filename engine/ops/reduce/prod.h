#pragma once

#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// Product over `dims` (empty = all). The product of nothing is 1.
/// x: any dtype · returns the shape without `dims`, or with size 1 there; integers and bool give i64.
/// Differentiable in x; zeros are handled: the gradient is the product of the other elements.
/// Throws IndexError and ValueError for bad dims.
Tensor prod(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// grad: like the result of prod.
Tensor prod_backward(const Tensor& grad, const Tensor& x, DimMask mask);

}  // namespace plumb
