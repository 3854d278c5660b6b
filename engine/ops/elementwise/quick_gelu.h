#pragma once

#include "engine/tensor.h"

namespace plumb {

/// CLIP's GELU: y = x sigmoid(1.702 x), that is silu(1.702 x) / 1.702.
/// x: floating, any shape and strides · returns x's shape and dtype, channels-last if x is. 16-bit values are computed
/// in f32 and rounded once. Differentiable. Throws DTypeError.
Tensor quick_gelu(const Tensor& x);
/// grad silu'(1.702 x), of x's dtype.
Tensor quick_gelu_backward(const Tensor& grad, const Tensor& x);

}  // namespace plumb
