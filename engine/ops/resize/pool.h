#pragma once

#include "engine/tensor.h"

// Ops that make a pixel from a rectangle of pixels, as in torch.nn.functional.
//
// x: [N, C, H, W] floating, H and W positive (N and C may be 0), any strides. The result has x's dtype, and is
// channels-last if x is; 16-bit values are summed in f32 and rounded once. Differentiable in x. Throws ShapeError,
// ValueError for settings that give no pixel, DTypeError.
//
// `<op>_backward(grad, …, height, width)`: gradient of x, of height by width; channels-last if grad is. Each output
// pixel's gradient goes back to the rectangle in equal parts. Sums are in the order of the output pixels, in f32 (f64
// for f64), so the bits do not depend on threads.

namespace plumb {

/// Two numbers, along H and along W.
struct PixelPair {
  int64_t height = 0, width = 0;
};

/// Windows of avg_pool2d.
struct PoolWindow {
  PixelPair kernel, stride, padding;  ///< kernel and stride >= 1, 0 <= padding <= kernel / 2
};

/// Mean over windows that start every `stride` pixels; zeros beyond the border count (count_include_pad = True).
/// Returns [N, C, H', W'] with H' = floor((H + 2 padding - kernel) / stride) + 1.
Tensor avg_pool2d(const Tensor& x, const PoolWindow& window);
Tensor avg_pool2d_backward(const Tensor& grad, const PoolWindow& window, PixelPair size);

/// Each pixel becomes scale x scale pixels (mode = "nearest" with an integer scale_factor); scale >= 1.
Tensor upsample_nearest(const Tensor& x, int64_t scale);
Tensor upsample_nearest_backward(const Tensor& grad, int64_t scale);

/// Output pixel i is input pixel floor(i * in / out), the quotient and the product formed in f32 as torch's
/// mode = "nearest" does.
Tensor interpolate_nearest(const Tensor& x, PixelPair size);
Tensor interpolate_nearest_backward(const Tensor& grad, PixelPair size);

/// Output pixel i is the mean of input pixels floor(i in / out) … ceil((i + 1) in / out) - 1: mode = "area", which is
/// adaptive_avg_pool2d.
Tensor interpolate_area(const Tensor& x, PixelPair size);
Tensor interpolate_area_backward(const Tensor& grad, PixelPair size);

}  // namespace plumb
