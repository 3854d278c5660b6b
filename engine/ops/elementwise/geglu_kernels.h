#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// x, grad_x: [rows, 2 D]; y, grad: [rows, D], contiguous, of one floating dtype, not empty.

namespace plumb {

void geglu_kernel(Cpu, const Tensor& x, Tensor& y);
void geglu_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, Tensor& grad_x);

// The same on CUDA.
void geglu_kernel(Cuda cuda, const Tensor& x, Tensor& y);
void geglu_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, Tensor& grad_x);

}  // namespace plumb
