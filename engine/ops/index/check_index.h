#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Contiguous i64 indices, each in [0, limit). Throws DTypeError unless i64 or i32; IndexError naming the op, the first
/// offending position (row-major), its value and the range.
/// On CUDA nobody waits for the indices: the IndexError comes from the next call that waits for the device (a copy to
/// the CPU, synchronize), and meanwhile an index outside counts as 0, so that nothing outside a tensor is touched.
/// `op` is a literal: the device keeps the pointer.
Tensor checked_indices(const char* op, const Tensor& indices, int64_t limit);

}  // namespace plumb
