#pragma once

#include "engine/backend.h"
#include "engine/ops/conv/conv2d.h"
#include "engine/tensor.h"

// Kernels behind conv2d. Pictures come as [N, H, W, C] and banks of kernels as [O, KH, KW, C / groups], contiguous, in
// f32 or f64, on CUDA also in bf16 and f16; outputs have numel > 0.

namespace plumb {

/// Everything about a convolution but its numbers.
struct ConvGeometry {
  int64_t batch = 0;
  Size2d input, output, kernel;
  int64_t in_channels = 0, out_channels = 0;
  Conv2dOptions options;

  int64_t group_in() const { return in_channels / options.groups; }
  int64_t group_out() const { return out_channels / options.groups; }
};

/// y = x * weight + bias (undefined: none).
void conv2d_kernel(Cpu, const ConvGeometry& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   Tensor& y);
void conv2d_backward_x_kernel(Cpu, const ConvGeometry& geometry, const Tensor& grad, const Tensor& weight,
                              Tensor& grad_x);
void conv2d_backward_weight_kernel(Cpu, const ConvGeometry& geometry, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight);

void conv2d_kernel(Cuda cuda, const ConvGeometry& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   Tensor& y);
void conv2d_backward_x_kernel(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& weight,
                              Tensor& grad_x);
void conv2d_backward_weight_kernel(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight);

}  // namespace plumb
