#pragma once

#include "engine/tensor.h"

namespace plumb {

/// A tensor that says what shape and dtype something has, and owns no memory: its elements must not be touched.
/// Throws ShapeError on negative sizes or overflow.
Tensor shape_only(const Shape& shape, DType dtype = DType::f32);

/// False for what shape_only() made.
inline bool has_memory(const Tensor& x) { return x.numel() == 0 || x.storage()->data() != nullptr; }

}  // namespace plumb
