#pragma once

#include "nn/unet/unet2d_options.h"
#include "nn/unet/unet_blocks.h"

namespace plumb {

/// The levels of a UNet2DModel from its options, level 0 first on the way down and last on the way up. Residual blocks
/// and attention are made in turn, as diffusers makes them, so that one seed gives the same weights.
UNetLevel unet2d_down_level(const UNet2DOptions& options, size_t level, Init init);
UNetLevel unet2d_mid_level(const UNet2DOptions& options, Init init);
/// level: counted on the way up, 0 is the lowest.
UNetLevel unet2d_up_level(const UNet2DOptions& options, size_t level, Init init);

}  // namespace plumb
