#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Contiguous i64 indices, each in [0, limit). Throws DTypeError unless i64 or i32; IndexError naming the op, the first
/// offending position (row-major), its value and the range.
Tensor checked_indices(const char* op, const Tensor& indices, int64_t limit);

}  // namespace plumb
