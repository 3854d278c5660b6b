#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind Tensor's in-place members. Shapes and dtypes have been checked; numel > 0.

namespace plumb {

void fill_kernel(Cpu, Tensor& target, double value);
/// target = convert(source), source broadcast to target's shape.
void copy_kernel(Cpu, const Tensor& source, Tensor& target);
/// target += alpha * source, computed in the accumulation type of the target.
void accumulate_kernel(Cpu, const Tensor& source, double alpha, Tensor& target);
void scale_kernel(Cpu, double factor, Tensor& target);

// The same on CUDA.
void fill_kernel(Cuda cuda, Tensor& target, double value);
void copy_kernel(Cuda cuda, const Tensor& source, Tensor& target);
void accumulate_kernel(Cuda cuda, const Tensor& source, double alpha, Tensor& target);
void scale_kernel(Cuda cuda, double factor, Tensor& target);

}  // namespace plumb
