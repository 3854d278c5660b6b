#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/unet/per_level.h"

namespace plumb {

/// The configuration of a UNet2DModel; names, defaults and meaning are diffusers', and an empty string or optional is
/// its None.
struct UNet2DOptions {
  std::optional<Size2d> sample_size = {};  ///< what the model was trained on; not used by the network
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  bool center_input_sample = false;  ///< the network sees 2 x - 1
  std::string time_embedding_type = "positional";
  std::optional<int64_t> time_embedding_dim = {};  ///< 4 block_out_channels[0] unless set
  double freq_shift = 0;
  bool flip_sin_to_cos = true;
  /// DownBlock2D, AttnDownBlock2D.
  std::vector<std::string> down_block_types = {"DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"};
  std::string mid_block_type = "UNetMidBlock2D";  ///< or empty
  /// UpBlock2D, AttnUpBlock2D.
  std::vector<std::string> up_block_types = {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"};
  std::vector<int64_t> block_out_channels = {224, 448, 672, 896};
  int64_t layers_per_block = 2;
  double mid_block_scale_factor = 1;
  int64_t downsample_padding = 1;
  std::string downsample_type = "conv";  ///< of levels with attention: conv or resnet
  std::string upsample_type = "conv";    ///< likewise
  double dropout = 0;
  std::string act_fn = "silu";
  std::optional<int64_t> attention_head_dim = 8;  ///< features of a head; one head for all channels unless set
  int64_t norm_num_groups = 32;
  std::optional<int64_t> attn_norm_num_groups = {};  ///< of the middle's attention
  double norm_eps = 1e-5;
  std::string resnet_time_scale_shift = "default";  ///< or scale_shift
  bool add_attention = true;                        ///< in the middle
  std::string class_embed_type = "";                ///< empty: a table if num_class_embeds is set; or timestep
  std::optional<int64_t> num_class_embeds = {};

  /// Throws ValueError naming the key whose value is impossible or not supported.
  void check() const;
  /// Features of a timestep.
  int64_t time_features() const { return time_embedding_dim.value_or(4 * block_out_channels[0]); }
  bool has_classes() const { return class_embed_type == "timestep" || num_class_embeds.has_value(); }
};

}  // namespace plumb
