#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

// The direct convolution without a matrix of patches, in f32.

namespace plumb {

/// Whether it exists for this geometry and is faster than gathering patches.
bool rows_fit(const ConvGeometry& geometry);
/// The same for the gradient of x.
bool rows_fit_backward_x(const ConvGeometry& geometry);

/// The same for the gradient of the kernels.
bool rows_fit_backward_weight(const ConvGeometry& geometry);

/// As conv2d_kernel and the kernels of its gradients; bias may be null.
void rows_forward(const ConvGeometry& geometry, const float* x, const float* weight, const float* bias, float* y);
void rows_backward_x(const ConvGeometry& geometry, const float* grad, const float* weight, float* grad_x);
void rows_backward_weight(const ConvGeometry& geometry, const float* grad, const float* x, float* grad_weight);

}  // namespace plumb
