#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace plumb {

/// Channels become pixels [Shi et al. 2016]: y[n, c, h r + i, w r + j] = x[n, c r^2 + i r + j, h, w], r = upscale >= 1.
/// x: [N, C r^2, H, W] of any dtype and strides · returns [N, C, H r, W r], channels-last if x is. Differentiable in x:
/// the gradient is pixel_unshuffle's.
/// Throws ShapeError unless x is 4-D with channels divisible by r^2, ValueError for r < 1.
Tensor pixel_shuffle(const Tensor& x, int64_t upscale);

/// Pixels become channels, the inverse. x: [N, C, H r, W r] · returns [N, C r^2, H, W], r = downscale >= 1.
/// Throws ShapeError unless x is 4-D with height and width divisible by r, ValueError for r < 1.
Tensor pixel_unshuffle(const Tensor& x, int64_t downscale);

}  // namespace plumb
