#pragma once

#include "nn/unet/unet2d_condition_options.h"
#include "nn/unet/unet_blocks.h"

namespace plumb {

/// The levels of a UNet2DConditionModel from its options, as unet2d_levels.h has them for a UNet2DModel.
UNetLevel unet2d_condition_down_level(const UNet2DConditionOptions& options, size_t level, Init init);
/// mid_block_type must not be empty.
UNetLevel unet2d_condition_mid_level(const UNet2DConditionOptions& options, Init init);
/// level: counted on the way up, 0 is the lowest.
UNetLevel unet2d_condition_up_level(const UNet2DConditionOptions& options, size_t level, Init init);

}  // namespace plumb
