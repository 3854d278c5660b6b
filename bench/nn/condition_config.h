#pragma once

#include "nn/unet/unet2d_condition_options.h"

namespace plumb::bench {

/// 803,204 parameters: two levels, text in the first and the middle; for latents of 16x16 and 16 tokens of 64.
inline UNet2DConditionOptions tiny_condition_options() {
  UNet2DConditionOptions options;
  options.block_out_channels = {32, 64};
  options.down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"};
  options.up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"};
  options.layers_per_block = 1;
  options.attention_head_dim = 4;
  options.cross_attention_dim = 64;
  options.norm_num_groups = 8;
  return options;
}

/// 10,068,867 parameters: the shape of bench::unet_options() with text in the lower two levels and the middle; for
/// 32x32x3 and 77 tokens of 128.
inline UNet2DConditionOptions small_condition_options() {
  UNet2DConditionOptions options;
  options.in_channels = options.out_channels = 3;
  options.block_out_channels = {64, 128, 128};
  options.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"};
  options.attention_head_dim = 2;
  options.cross_attention_dim = 128;
  return options;
}

/// The shape of apps/shapes/recipes/tiny_unet.json, for 32x32x3 and 16 tokens of 64: what the study aligns.
inline UNet2DConditionOptions recipe_condition_options() {
  UNet2DConditionOptions options;
  options.in_channels = options.out_channels = 3;
  options.block_out_channels = {24, 48, 96};
  options.down_block_types = {"DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"};
  options.layers_per_block = 1;
  options.attention_head_dim = 4;
  options.cross_attention_dim = 64;
  options.norm_num_groups = 8;
  return options;
}

/// Stable Diffusion 1.5: 859,520,964 parameters, 3.4 GB.
inline UNet2DConditionOptions stable_diffusion_options() {
  UNet2DConditionOptions options;
  options.cross_attention_dim = 768;
  return options;
}

}  // namespace plumb::bench
