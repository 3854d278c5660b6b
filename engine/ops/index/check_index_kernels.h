#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

namespace plumb {

/// indices as contiguous i64. Throws IndexError for the first one outside [0, limit).
Tensor check_index_kernel(Cpu, const char* op, const Tensor& indices, int64_t limit);

/// The same on CUDA, where indices outside become 0, and one of them (the first, in lists of up to 4096) is left for
/// the host to throw about when it next waits for the device (engine/cuda/fault.h). limit > 0; `op` is a literal.
Tensor check_index_kernel(Cuda cuda, const char* op, const Tensor& indices, int64_t limit);

}  // namespace plumb
