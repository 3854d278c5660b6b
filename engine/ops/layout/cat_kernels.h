#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

namespace plumb {

/// Copies `part` to where it belongs in `out`: along dim, `start` elements from the beginning. One dtype; both
/// contiguous; numel of part > 0.
void cat_kernel(Cpu, const Tensor& part, int64_t dim, int64_t start, Tensor& out);

// Not on CUDA yet.
void cat_kernel(Cuda cuda, const auto&...) { cpu_only("cat", cuda); }

}  // namespace plumb
