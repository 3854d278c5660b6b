#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

// Convolution by plain sums on CUDA, in every floating dtype and for every geometry: f64, and what cuDNN refuses.

namespace plumb {

/// As conv2d_kernel, conv2d_backward_x_kernel and conv2d_backward_weight_kernel.
void conv2d_direct(Cuda cuda, const ConvGeometry& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   Tensor& y);
void conv2d_direct_backward_x(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& weight,
                              Tensor& grad_x);
void conv2d_direct_backward_weight(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight);

}  // namespace plumb
