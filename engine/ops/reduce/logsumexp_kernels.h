#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out: contiguous, x's dtype.
void logsumexp_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// grad, y: contiguous, one element an output.
void logsumexp_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, Tensor& grad_x);

// The same on CUDA.
void logsumexp_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void logsumexp_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                               Tensor& grad_x);

}  // namespace plumb
