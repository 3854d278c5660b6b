#pragma once

#include "autograd/variable.h"
#include "engine/ops/resize/interpolate_bilinear.h"
#include "engine/ops/resize/pixel_shuffle.h"
#include "engine/ops/resize/pool.h"

// Differentiable overloads of engine/ops/resize; shapes, dtypes and errors are documented there.

namespace plumb {

Variable avg_pool2d(const Variable& x, const PoolWindow& window);
Variable interpolate_area(const Variable& x, PixelPair size);
Variable interpolate_bilinear(const Variable& x, int64_t height, int64_t width);
Variable interpolate_nearest(const Variable& x, PixelPair size);
Variable pixel_shuffle(const Variable& x, int64_t upscale);
Variable pixel_unshuffle(const Variable& x, int64_t downscale);
Variable upsample_nearest(const Variable& x, int64_t scale);

}  // namespace plumb
