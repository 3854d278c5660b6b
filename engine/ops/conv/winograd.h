#pragma once

#include "engine/isa/kernels.h"
#include "engine/ops/conv/conv2d_kernels.h"

// Winograd's convolution F(4x4, 3x3) [Lavin & Gray 2015]: a quarter of the multiplications of the definition, in f32,
// for 3x3 kernels with stride 1, dilation 1, one group and padding up to 2. The error is three to five times that of
// the direct products: root mean square 0.5e-6 to 1.2e-6 of that of the result for 16 to 1280 channels, beside 0.2e-6
// to 0.3e-6.

namespace plumb {

/// Whether the kernels exist for this geometry, in all three directions.
bool winograd_fits(const Kernels& isa, const ConvGeometry& geometry);

/// As conv2d_kernel and so on; bias may be null.
void winograd_forward(const Kernels& isa, const ConvGeometry& geometry, const float* x, const float* weight,
                      const float* bias, float* y);
void winograd_backward_x(const Kernels& isa, const ConvGeometry& geometry, const float* grad, const float* weight,
                         float* grad_x);
void winograd_backward_weight(const Kernels& isa, const ConvGeometry& geometry, const float* grad, const float* x,
                              float* grad_weight);

}  // namespace plumb
