#pragma once

#include "engine/tensor.h"

namespace plumb {

/// A contiguous copy with the order of elements along `dims` reversed (negative dims count from the end; none listed
/// reverses nothing, as in torch). Any dtype. Differentiable; the gradient is flip again.
/// Throws IndexError, ValueError for a repeated dim.
Tensor flip(const Tensor& x, const Dims& dims);

}  // namespace plumb
