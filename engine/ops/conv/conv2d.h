#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Sizes along H and W.
struct Size2d {
  int64_t height = 0, width = 0;
  bool operator==(const Size2d&) const = default;
};

struct Conv2dOptions {
  Size2d stride = {1, 1};
  Size2d padding = {0, 0};  ///< zeros on each side
  Size2d dilation = {1, 1};
  int64_t groups = 1;  ///< output channels of a group see the input channels of that group alone
};

/// Cross-correlation of pictures with a bank of kernels, torch.nn.functional.conv2d:
///   y[n, o, i, j] = bias[o] + sum over c, u, v of weight[o, c, u, v] x[n, g C/groups + c, i s - p + u d, j s - p + v
///   d]
/// with g the group of o and zeros outside the picture.
/// x: [N, C, H, W] · weight: [O, C/groups, KH, KW] · bias: [O] or undefined · returns [N, O, OH, OW],
///   OH = (H + 2 padding - dilation (KH - 1) - 1) / stride + 1, in x's memory order (contiguous or channels-last).
/// Floating dtypes, the same for all; 16-bit floats are computed in f32 and rounded once. N may be 0, and C (which
/// leaves the bias). Differentiable in x, weight, bias.
/// 3x3 kernels in f32 on the CPU may go by Winograd's algorithm, with 3 to 5 times the rounding error
/// (engine/ops/conv/algorithm.h). Throws ShapeError when shapes do not fit or the kernel is larger than the padded
/// picture, ValueError for options out of range, DTypeError, DeviceError.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

/// Gradient of conv2d's x, of shape x_shape and in grad's memory order. grad: [N, O, OH, OW].
Tensor conv2d_backward_x(const Tensor& grad, const Tensor& weight, const Shape& x_shape, const Conv2dOptions& options);
/// Gradient of conv2d's weight, of shape weight_shape, channels-last as the kernels make it.
Tensor conv2d_backward_weight(const Tensor& grad, const Tensor& x, const Shape& weight_shape,
                              const Conv2dOptions& options);
/// Gradient of conv2d's bias, [O]: the sum of grad over all but channels.
Tensor conv2d_backward_bias(const Tensor& grad);

}  // namespace plumb
