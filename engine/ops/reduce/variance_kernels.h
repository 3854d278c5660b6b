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

// Not on CUDA yet.
void variance_kernel(Cuda cuda, const auto&...) { cpu_only("var", cuda); }
void variance_backward_kernel(Cuda cuda, const auto&...) { cpu_only("var", cuda); }

}  // namespace plumb
