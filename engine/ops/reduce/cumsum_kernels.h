#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

namespace plumb {

/// y: contiguous, the shape of x; running sums along dim (in [0, rank), or 0 for a 0-d x), from the end when `reverse`.
void cumsum_kernel(Cpu, const Tensor& x, int64_t dim, bool reverse, Tensor& y);

// The same on CUDA.
void cumsum_kernel(Cuda cuda, const Tensor& x, int64_t dim, bool reverse, Tensor& y);

}  // namespace plumb
