#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

PixelPair read_size(OpCall& call, const char* op) {
  const Dims size = call.dims("size");
  require<ValueError>(size.rank() == 1 || size.rank() == 2, "{}: size must be [height, width] or one number ({})", op,
                      size);
  return {size[0], size.back()};
}

/// One number for both, or [height, width].
PixelPair read_pair(OpCall& call, const char* key, std::optional<PixelPair> fallback = {}) {
  std::optional<Dims> otherwise;
  if (fallback) otherwise = Dims{fallback->height, fallback->width};
  const Dims pair = call.dims(key, otherwise);
  require<ValueError>(pair.rank() == 1 || pair.rank() == 2, "avg_pool2d: {} must be one or two numbers ({})", key,
                      pair);
  return {pair[0], pair.back()};
}

Variable run_avg_pool2d(OpCall& call) {
  const PixelPair kernel = read_pair(call, "kernel");
  const PixelPair stride = read_pair(call, "stride", kernel), padding = read_pair(call, "padding", PixelPair{});
  return avg_pool2d(call.input(0), {kernel, stride, padding});
}

Variable run_interpolate_area(OpCall& call) {
  return interpolate_area(call.input(0), read_size(call, "interpolate_area"));
}
Variable run_interpolate_bilinear(OpCall& call) {
  const PixelPair size = read_size(call, "interpolate_bilinear");
  return interpolate_bilinear(call.input(0), size.height, size.width);
}
Variable run_interpolate_nearest(OpCall& call) {
  return interpolate_nearest(call.input(0), read_size(call, "interpolate_nearest"));
}
Variable run_pixel_shuffle(OpCall& call) { return pixel_shuffle(call.input(0), call.integer("upscale")); }
Variable run_pixel_unshuffle(OpCall& call) { return pixel_unshuffle(call.input(0), call.integer("downscale")); }
Variable run_upsample_nearest(OpCall& call) { return upsample_nearest(call.input(0), call.integer("scale")); }

}  // namespace

std::vector<OpEntry> resize_ops() {
  return {
      {"avg_pool2d", "avg_pool2d(x; kernel, stride=kernel, padding=0)", run_avg_pool2d},
      {"interpolate_area", "interpolate_area(x; size)", run_interpolate_area},
      {"interpolate_bilinear", "interpolate_bilinear(x; size)", run_interpolate_bilinear},
      {"interpolate_nearest", "interpolate_nearest(x; size)", run_interpolate_nearest},
      {"pixel_shuffle", "pixel_shuffle(x; upscale)", run_pixel_shuffle},
      {"pixel_unshuffle", "pixel_unshuffle(x; downscale)", run_pixel_unshuffle},
      {"upsample_nearest", "upsample_nearest(x; scale)", run_upsample_nearest},
  };
}

}  // namespace plumb
