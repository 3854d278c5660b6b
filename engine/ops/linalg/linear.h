#pragma once

#include "engine/fused_activation.h"
#include "engine/tensor.h"

namespace plumb {

/// y = x weight^T + bias, the affine layer.
/// x: [..., in] · weight: [out, in] · bias: [out] or undefined · returns [..., out]
/// Floating dtypes, the same for all; 16-bit floats are computed in float and rounded once.
/// Differentiable in x, weight, bias. Throws ShapeError, DTypeError, DeviceError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// activate(linear(x, weight, bias), activation) with the bits of the two ops, the activation taken of each tile of the
/// product while that is in cache. 16-bit floats round in between, as the two ops do; on CUDA not where the product
/// itself ends with the activation (relu, gelu_tanh), and there are no bits to keep.
Tensor linear_act(const Tensor& x, const Tensor& weight, const Tensor& bias, FusedActivation activation);
/// Keeps the activation's derivative too, like the result, for linear_act_backward. f32 and f64; silu, gelu and
/// gelu_tanh (relu's derivative is read off its output). Throws DTypeError, ValueError.
Tensor linear_act(const Tensor& x, const Tensor& weight, const Tensor& bias, FusedActivation activation,
                  Tensor& derivative);

/// out = grad * derivative, the gradient of what goes into the activation, and in the same pass linear_backward_bias of
/// it, which is returned: [out features]. All three [..., out features] and contiguous; out may be grad.
/// Throws ShapeError, ValueError.
Tensor linear_act_backward(const Tensor& grad, const Tensor& derivative, Tensor& out);

/// grad: [..., out]. Gradient of linear's x, [..., in]: grad weight.
Tensor linear_backward_x(const Tensor& grad, const Tensor& weight);
/// Gradient of linear's weight, [out, in]: grad^T x over all rows.
Tensor linear_backward_weight(const Tensor& grad, const Tensor& x);
/// Gradient of linear's bias, [out]: the sum of grad's rows, over blocks of rows fixed by the shape, so that the bits
/// do not depend on the number of threads.
Tensor linear_backward_bias(const Tensor& grad);

}  // namespace plumb
