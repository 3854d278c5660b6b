#pragma once

#include <vector>

#include "engine/io/image.h"
#include "engine/tensor.h"

namespace plumb {

/// Row `row` of pictures [N, C, H, W] in [-1, 1] (C = 1 or 3; what is outside is clamped) as bytes, rounded as
/// diffusers rounds. Throws ShapeError.
Image picture_of(const Tensor& pictures, int64_t row = 0);

/// The reverse: f32 [1, C, H, W]; C = 1 takes the mean of the colours.
Tensor pixels_of(const Image& image, int64_t channels);

struct GridOptions {
  int64_t columns = 0;  ///< 0: about as many as rows
  int64_t gap = 0;      ///< pixels between pictures
  uint8_t ground = 0;   ///< value of what no picture covers
};

/// All pictures in rows; those of other sizes at the top left of their place. Throws ValueError when there are none or
/// the grid is too large.
Image grid_of(const std::vector<Image>& pictures, const GridOptions& options = {});

}  // namespace plumb
