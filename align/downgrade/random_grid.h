#pragma once

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// Self-DPO's random grid: each picture is cut into 8 by 8 tiles, and two tiles change places.      [Self-DPO,
/// Sec. 4.3] The pair is uniform among those whose tiles differ; a picture whose tiles are all equal is returned as it
/// is. A tile has floor(H / 8) by floor(W / 8) pixels: where eight does not divide a size, the rows at the bottom and
/// the columns at the right that are left over stay; a side of fewer than eight pixels has that many tiles of one
/// pixel. images: [N, C, H, W], any dtype · returns the same shape, contiguous. Row i depends on key and i alone.
/// Throws ShapeError unless 4-D.
Tensor random_grid(const Tensor& images, const RandomKey& key);

}  // namespace plumb
