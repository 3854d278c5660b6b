#pragma once

#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// y = log(sum exp(x)) over `dims` (empty = all), without overflow: max + log(sum exp(x - max)).
/// x: floating · returns x's dtype and the shape without `dims`, or with size 1 there. Differentiable in x.
/// Of nothing, and of elements that are all -inf: -inf.
/// Throws DTypeError for integers, IndexError and ValueError for bad dims.
Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// grad * exp(x - y); 0 where y is -inf. y: the result of logsumexp, grad: like y.
Tensor logsumexp_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask);

}  // namespace plumb
