#pragma once

#include "engine/tensor.h"

namespace plumb {

/// y = x weight^T + bias, the affine layer.
/// x: [..., in] · weight: [out, in] · bias: [out] or undefined · returns [..., out]
/// Floating dtypes, the same for all; 16-bit floats are computed in float and rounded once.
/// Differentiable in x, weight, bias. Throws ShapeError, DTypeError, DeviceError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// grad: [..., out]. Gradient of linear's x, [..., in]: grad weight.
Tensor linear_backward_x(const Tensor& grad, const Tensor& weight);
/// Gradient of linear's weight, [out, in]: grad^T x over all rows.
Tensor linear_backward_weight(const Tensor& grad, const Tensor& x);
/// Gradient of linear's bias, [out]: the sum of grad's rows, over blocks of rows fixed by the shape, so that the bits
/// do not depend on the number of threads.
Tensor linear_backward_bias(const Tensor& grad);

}  // namespace plumb
