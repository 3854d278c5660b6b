#pragma once

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// Throws ShapeError unless x is [N, D] with N, D > 0, DTypeError unless it is floating, DeviceError off the CPU,
/// NumericError for a number that is not finite; messages begin with `what`.
void check_features(const char* what, const Tensor& x);

/// `count` different rows of `rows`, in random order: i64 [count]. Throws ValueError unless 0 <= count <= rows.
Tensor draw_rows(int64_t rows, int64_t count, const RandomKey& key);

}  // namespace plumb
