#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out = sum of x over the layout's reduced elements. out: contiguous; x's dtype if floating, else i64.
void sum_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// out = sum / count. Floating only.
void mean_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);

// Not on CUDA yet.
void sum_kernel(Cuda cuda, const auto&...) { cpu_only("sum", cuda); }
void mean_kernel(Cuda cuda, const auto&...) { cpu_only("sum", cuda); }

}  // namespace plumb
