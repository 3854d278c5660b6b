#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace plumb {

/// Resizes pictures as torch.nn.functional.interpolate(mode = "bilinear", align_corners = False, antialias = False):
/// an output pixel is a blend of the four input pixels around its centre,
///   s = max((i + 1/2) * in / out - 1/2, 0),   a = floor(s),   b = min(a + 1, in - 1),   y = (1 - (s - a)) x_a + (s -
///   a) x_b
/// along H and W. Making a picture smaller thus skips pixels; there is no averaging.
/// x: [N, C, H, W] floating, any strides · returns [N, C, height, width], contiguous, of x's dtype; 16-bit values are
/// blended in f32 and rounded once. Differentiable in x.
/// Throws ShapeError unless x is 4-D with H, W, height and width positive (N and C may be 0), DTypeError.
Tensor interpolate_bilinear(const Tensor& x, int64_t height, int64_t width);

/// Gradient of interpolate_bilinear's x, of height by width: each output pixel's gradient goes back to the four input
/// pixels it was blended from, with their weights. Sums are in f32 (f64 for f64); a plane is summed in order, so the
/// bits do not depend on threads.
Tensor interpolate_bilinear_backward(const Tensor& grad, int64_t height, int64_t width);

}  // namespace plumb
