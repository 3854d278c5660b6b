#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// x: [N, C, H, W], any strides · y: [N, C, H', W'], contiguous, of x's dtype. Nothing is empty.

namespace plumb {

void interpolate_bilinear_kernel(Cpu, const Tensor& x, Tensor& y);
/// grad: [N, C, H', W'], any strides · grad_x: [N, C, H, W], contiguous, of grad's dtype.
void interpolate_bilinear_backward_kernel(Cpu, const Tensor& grad, Tensor& grad_x);

// Not on CUDA yet.
void interpolate_bilinear_kernel(Cuda cuda, const auto&...) { cpu_only("interpolate_bilinear", cuda); }
void interpolate_bilinear_backward_kernel(Cuda cuda, const auto&...) { cpu_only("interpolate_bilinear", cuda); }

}  // namespace plumb
