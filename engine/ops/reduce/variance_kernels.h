#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out: contiguous, x's dtype; the square root of the variance when `root`.
void variance_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, double correction, bool root, Tensor& out);
/// grad, y: contiguous, one element an output. y undefined: the gradient of the variance; else of its root y.
void variance_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              double correction, Tensor& grad_x);

// The same on CUDA.
void variance_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, double correction, bool root,
                     Tensor& out);
void variance_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              double correction, Tensor& grad_x);

}  // namespace plumb
