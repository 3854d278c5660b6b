#pragma once

#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// Variance over `dims` (empty = all): sum (x - mean)^2 / max(0, count - correction).
/// x: floating · returns x's dtype and the shape without `dims`, or with size 1 there. Differentiable in x.
/// NaN when a correction leaves nothing to divide by (count <= correction, equal elements) or nothing was given.
/// Throws DTypeError for integers, IndexError and ValueError for bad dims.
/// One pass in Acc<T>: block means and squares about them are joined by Chan's formula, stable far from zero.
Tensor var(const Tensor& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);

/// Square root of var. (torch's std; named in full because a function std would hide the namespace.)
Tensor stddev(const Tensor& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);

/// grad (x - mean) 2 / max(0, count - correction), with grad like the result of var.
Tensor var_backward(const Tensor& grad, const Tensor& x, DimMask mask, double correction);
/// y: the result of stddev. Elements that are all equal (y = 0) get 0, as in torch.
Tensor stddev_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, double correction);

}  // namespace plumb
