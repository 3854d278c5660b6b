#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out = sum of x over the layout's reduced elements. out: contiguous; x's dtype if floating, else i64.
void sum_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// out = sum / count. Floating only.
void mean_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);

// The same on CUDA.
void sum_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void mean_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);

}  // namespace plumb
