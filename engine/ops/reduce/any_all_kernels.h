#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out: bool, contiguous.
void any_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void all_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);

// Not on CUDA yet.
void any_kernel(Cuda cuda, const auto&...) { cpu_only("any", cuda); }
void all_kernel(Cuda cuda, const auto&...) { cpu_only("all", cuda); }

}  // namespace plumb
