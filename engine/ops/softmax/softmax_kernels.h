#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Along dimension `dim` of tensors of one shape, any strides, numel > 0.

namespace plumb {

void softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y);
void log_softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y);
void softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x);
void log_softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x);

// The same on CUDA.
void softmax_kernel(Cuda cuda, const Tensor& x, int64_t dim, Tensor& y);
void log_softmax_kernel(Cuda cuda, const Tensor& x, int64_t dim, Tensor& y);
void softmax_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x);
void log_softmax_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x);

}  // namespace plumb
