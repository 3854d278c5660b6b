#pragma once

#include "engine/tensor.h"

namespace plumb {

/// y = x tanh(softplus(x))                                                                    [Misra 2019]
/// x: floating, any shape and strides · returns x's shape and dtype, channels-last if x is. 16-bit values are computed
/// in f32 and rounded once. Differentiable. Throws DTypeError.
Tensor mish(const Tensor& x);
/// grad (t + x (1 - t^2) sigmoid(x)) with t = tanh(softplus(x)), of x's dtype.
Tensor mish_backward(const Tensor& grad, const Tensor& x);

}  // namespace plumb
