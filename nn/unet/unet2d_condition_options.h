#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/unet/per_level.h"

namespace plumb {

/// The configuration of a UNet2DConditionModel; names, defaults and meaning are diffusers', and an empty string or
/// optional is its None.
struct UNet2DConditionOptions {
  std::optional<Size2d> sample_size = {};  ///< what the model was trained on; the network takes any size
  int64_t in_channels = 4;
  int64_t out_channels = 4;
  bool center_input_sample = false;  ///< the network sees 2 x - 1
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  /// DownBlock2D, CrossAttnDownBlock2D, AttnDownBlock2D.
  std::vector<std::string> down_block_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                               "DownBlock2D"};
  /// UNetMidBlock2DCrossAttn, UNetMidBlock2D (one residual block), or empty.
  std::string mid_block_type = "UNetMidBlock2DCrossAttn";
  /// UpBlock2D, CrossAttnUpBlock2D, AttnUpBlock2D.
  std::vector<std::string> up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                                             "CrossAttnUpBlock2D"};
  /// Of each level of block_out_channels: both attentions of a transformer block look at the text. The middle's first
  /// never does.
  PerLevel<bool> only_cross_attention = false;
  std::vector<int64_t> block_out_channels = {320, 640, 1280, 1280};
  PerLevel<int64_t> layers_per_block = 2;  ///< on the way down; one more on the way up
  int64_t downsample_padding = 1;
  double mid_block_scale_factor = 1;
  double dropout = 0;  ///< of residual blocks
  std::string act_fn = "silu";
  int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  PerLevel<int64_t> cross_attention_dim = 1280;  ///< features of the text's tokens, the same on every level that looks
  /// Transformer blocks of a level's every attention, or of each of them: then the way up has its own list, lowest
  /// level first.
  PerLevel<PerLevel<int64_t>> transformer_layers_per_block = PerLevel<int64_t>(1);
  std::optional<PerLevel<PerLevel<int64_t>>> reverse_transformer_layers_per_block = {};
  /// The NUMBER of heads of a level's transformers; features of a head in AttnDownBlock2D and AttnUpBlock2D, where the
  /// way up takes the list in the order given.
  PerLevel<int64_t> attention_head_dim = 8;
  bool use_linear_projection = false;  ///< proj_in and proj_out are linear layers: SD2, SDXL
  /// Added to the features of the timestep: empty: a row of a table if num_class_embeds is set; timestep: the label as
  /// a timestep of its own; projection and simple_projection: two layers or one on a vector; identity: a vector.
  std::string class_embed_type = "";
  std::string addition_embed_type = "";  ///< text_time: pooled text and numbers, SDXL; or empty
  std::optional<int64_t> addition_time_embed_dim = {};
  std::optional<int64_t> num_class_embeds = {};
  std::optional<bool> upcast_attention = false;     ///< kept for the file alone: attention always sums in f32 here
  std::string resnet_time_scale_shift = "default";  ///< or scale_shift
  std::string time_embedding_type = "positional";
  std::optional<int64_t> time_embedding_dim = {};  ///< 4 block_out_channels[0] unless set
  int64_t conv_in_kernel = 3;
  int64_t conv_out_kernel = 3;
  std::optional<int64_t> projection_class_embeddings_input_dim = {};
  bool class_embeddings_concat = false;  ///< put beside the features of the timestep instead of added

  /// Throws ValueError naming the key whose value is impossible or not supported.
  void check() const;
  size_t levels() const { return block_out_channels.size(); }
  /// Features of a timestep, and those that the residual blocks are given.
  int64_t time_features() const { return time_embedding_dim.value_or(4 * block_out_channels[0]); }
  int64_t block_time_features() const { return class_embeddings_concat ? 2 * time_features() : time_features(); }
  bool has_classes() const { return !class_embed_type.empty() || num_class_embeds.has_value(); }
  bool has_text_time() const { return addition_embed_type == "text_time"; }
  /// Features of a token of the context; 0 where nothing looks at one.
  int64_t context_features() const;
};

}  // namespace plumb
