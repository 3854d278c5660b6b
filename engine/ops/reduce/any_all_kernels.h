#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

namespace plumb {

/// out: bool, contiguous.
void any_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void all_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out);

// The same on CUDA.
void any_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void all_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out);

}  // namespace plumb
