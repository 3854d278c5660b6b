#pragma once

#include "engine/io/image.h"
#include "engine/tensor.h"

namespace plumb {

/// Row `row` of pictures f32 [N, C, H, W] in [-1, 1] (what is outside is clamped) as bytes: round((x / 2 + 1/2) 255).
/// C is 1 or 3. Throws ShapeError.
Image picture_of(const Tensor& pictures, int64_t row);

/// All of them side by side, `columns` in a row, with `gap` white pixels between.
Image picture_grid(const Tensor& pictures, int64_t columns, int64_t gap = 2);

}  // namespace plumb
