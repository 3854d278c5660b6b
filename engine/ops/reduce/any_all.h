#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Whether any (every) element over `dims` (empty = all) differs from zero; a NaN does.
/// x: any dtype · returns bool, the shape without `dims`, or with size 1 there. Of nothing: any is false, all is true.
/// Not differentiable · Throws IndexError and ValueError for bad dims.
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

}  // namespace plumb
