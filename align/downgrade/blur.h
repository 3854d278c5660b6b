#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Self-DPO's blur: down by four and up again, bilinear without antialiasing.                       [Self-DPO,
/// Sec. 4.3] The small picture has floor(H / 4) by floor(W / 4) pixels, at least one a side; where four does not divide
/// a size, both steps scale by the ratio of the sizes. images: [N, C, H, W] floating · returns the same shape. Throws
/// as interpolate_bilinear (engine/ops/resize).
Tensor blur(const Tensor& images);

}  // namespace plumb
