#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out: contiguous; x's dtype if floating, else i64.
void prod_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// grad: contiguous, one element an output.
void prod_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, DimMask mask, Tensor& grad_x);

// The same on CUDA.
void prod_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void prod_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, DimMask mask, Tensor& grad_x);

}  // namespace plumb
