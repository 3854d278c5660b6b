#include "nn/unet/resample2d.h"

#include "autograd/ops/layout.h"
#include "autograd/ops/resize.h"
#include "engine/require.h"

namespace plumb {
namespace {

Conv2d halving(int64_t channels, int64_t padding, Init init) {
  require<ValueError>(padding == 0 || padding == 1, "downsample: downsample_padding must be 0 or 1 ({})", padding);
  return Conv2d(channels, channels, {3, 3}, init, {.conv = {.stride = {2, 2}, .padding = {padding, padding}}});
}

}  // namespace

Downsample2D::Downsample2D(int64_t channels, int64_t padding, Init init)
    : pads_behind_(padding == 0), conv_(halving(channels, padding, init)) {}

Variable Downsample2D::forward(const Variable& x, const BlockInputs&) {
  if (!pads_behind_) return conv_.forward(x);
  // Padded as [N, H, W, C], which is how it lies in memory.
  const Variable wider = pad(permute(x, {0, 2, 3, 1}), {0, 0, 0, 1, 0, 1});
  return conv_.forward(permute(wider, {0, 3, 1, 2}));
}

Upsample2D::Upsample2D(int64_t channels, Init init)
    : conv_(channels, channels, {3, 3}, init, {.conv = {.padding = {1, 1}}}) {}

Variable Upsample2D::forward(const Variable& x, const BlockInputs& inputs) {
  const Size2d twice{2 * x.size(2), 2 * x.size(3)};
  const Size2d size = inputs.upsampled == Size2d{} ? twice : inputs.upsampled;
  const Variable wider = size == twice ? upsample_nearest(x, 2) : interpolate_nearest(x, {size.height, size.width});
  // A picture of one pixel counts as contiguous, and then so would its enlargement.
  return conv_.forward(to_channels_last(wider));
}

}  // namespace plumb
