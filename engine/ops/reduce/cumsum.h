#pragma once

#include "engine/tensor.h"

namespace plumb {

/// y[i] = x[0] + … + x[i] along `dim`.
/// x: any dtype · returns the shape of x, contiguous; x's dtype if floating, else i64. Differentiable in x.
/// Throws IndexError for a dim out of range.
/// Floats are carried in double: a running sum cannot be a tree, so the carry must be wider instead.
Tensor cumsum(const Tensor& x, int64_t dim);

/// The sum of grad from each element to the end.
Tensor cumsum_backward(const Tensor& grad, int64_t dim);

}  // namespace plumb
