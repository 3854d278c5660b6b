#pragma once

#include "engine/tensor.h"

namespace plumb {

/// A contiguous copy with elements moved by shifts[i] places along dims[i]; what leaves at one end comes back at the
/// other. Without dims, the one shift is along the flattened tensor. Any dtype. Differentiable; the gradient is rolled
/// back. Throws ShapeError when the lists differ in length, IndexError.
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims = {});

}  // namespace plumb
