#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

// The direct convolution without a matrix of patches, in f32.

namespace plumb {

/// Whether it exists for this geometry and is faster than gathering patches.
bool rows_fit(const ConvGeometry& geometry);
/// The same for the gradient of x.
bool rows_fit_backward_x(const ConvGeometry& geometry);

/// As conv2d_kernel and conv2d_backward_x_kernel; bias may be null.
void rows_forward(const ConvGeometry& geometry, const float* x, const float* weight, const float* bias, float* y);
void rows_backward_x(const ConvGeometry& geometry, const float* grad, const float* weight, float* grad_x);

}  // namespace plumb
