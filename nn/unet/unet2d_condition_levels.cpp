#include "nn/unet/unet2d_condition_levels.h"

#include <memory>

#include "nn/unet/picture_attention.h"
#include "nn/unet/transformer2d.h"

namespace plumb {
namespace {

using Options = UNet2DConditionOptions;

ResnetBlock2DOptions resnet_options(const Options& o, int64_t in_channels, int64_t out_channels) {
  return {.in_channels = in_channels,
          .out_channels = out_channels,
          .temb_channels = o.block_time_features(),
          .groups = o.norm_num_groups,
          .eps = o.norm_eps,
          .dropout = o.dropout,
          .time_scale_shift =
              o.resnet_time_scale_shift == "scale_shift" ? TimeScaleShift::scale_shift : TimeScaleShift::default_,
          .act = activation_kind(o.act_fn)};
}

/// What a level consists of; `setting` is where the lists by level, which count on the way down, have it.
struct LevelPlan {
  std::string type;
  size_t setting;
  std::vector<int64_t> in_channels;  // of each residual block
  int64_t out_channels;
  PerLevel<int64_t> depths;  // of its transformers
  int64_t head_features;     // of attention without text
};

std::unique_ptr<SpatialLayer> transformer(const Options& o, const LevelPlan& plan, size_t layer, Init init) {
  const int64_t heads = o.attention_head_dim[plan.setting];
  require<ValueError>(heads <= plan.out_channels,
                      "UNet2DConditionModel: attention_head_dim, the number of heads, must not exceed the channels "
                      "({}, {} channels)",
                      heads, plan.out_channels);
  const bool is_middle = plan.type == "UNetMidBlock2DCrossAttn";
  return std::make_unique<Transformer2D>(
      Transformer2DOptions{.in_channels = plan.out_channels,
                           .heads = heads,
                           .head_features = plan.out_channels / heads,
                           .layers = plan.depths[layer],
                           .context_features = o.cross_attention_dim[plan.setting],
                           .only_cross_attention = o.only_cross_attention[plan.setting] && !is_middle,
                           .use_linear_projection = o.use_linear_projection,
                           .norm_num_groups = o.norm_num_groups},
      init);
}

/// Null for a level without attention.
std::unique_ptr<SpatialLayer> attention(const Options& o, const LevelPlan& plan, size_t layer, Init init) {
  if (plan.type.find("CrossAttn") != std::string::npos) return transformer(o, plan, layer, init);
  if (!plan.type.starts_with("Attn")) return nullptr;
  return std::make_unique<PictureAttention>(PictureAttentionOptions{.channels = plan.out_channels,
                                                                    .head_features = plan.head_features,
                                                                    .groups = o.norm_num_groups,
                                                                    .eps = o.norm_eps},
                                            init);
}

UNetLevel make_layers(const Options& o, const LevelPlan& plan, Init init) {
  UNetLevel level;
  for (size_t i = 0; i < plan.in_channels.size(); ++i) {
    level.resnets.push_back(
        std::make_unique<ResnetBlock2D>(resnet_options(o, plan.in_channels[i], plan.out_channels), init));
    if (auto layer = attention(o, plan, i, init)) level.attentions.push_back(std::move(layer));
  }
  return level;
}

}  // namespace

UNetLevel unet2d_condition_down_level(const Options& o, size_t level, Init init) {
  const int64_t out = o.block_out_channels[level];
  LevelPlan plan{.type = o.down_block_types[level],
                 .setting = level,
                 .in_channels = std::vector<int64_t>(size_t(o.layers_per_block[level]), out),
                 .out_channels = out,
                 .depths = o.transformer_layers_per_block[level],
                 .head_features = o.attention_head_dim[level]};
  plan.in_channels[0] = o.block_out_channels[level == 0 ? 0 : level - 1];
  UNetLevel made = make_layers(o, plan, init);
  if (level + 1 < o.levels())
    made.resamplers.push_back(std::make_unique<Downsample2D>(out, o.downsample_padding, init));
  return made;
}

UNetLevel unet2d_condition_mid_level(const Options& o, Init init) {
  const int64_t channels = o.block_out_channels.back();
  ResnetBlock2DOptions resnet = resnet_options(o, channels, channels);
  resnet.output_scale_factor = o.mid_block_scale_factor;
  const LevelPlan plan{.type = o.mid_block_type,
                       .setting = o.levels() - 1,
                       .in_channels = {},
                       .out_channels = channels,
                       .depths = o.transformer_layers_per_block[o.levels() - 1],
                       .head_features = channels};
  UNetLevel level;
  level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet, init));
  if (plan.type == "UNetMidBlock2D") return level;
  level.attentions.push_back(attention(o, plan, 0, init));
  level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet, init));
  return level;
}

UNetLevel unet2d_condition_up_level(const Options& o, size_t level, Init init) {
  const std::vector<int64_t> rising(o.block_out_channels.rbegin(), o.block_out_channels.rend());
  const bool is_last = level + 1 == rising.size();
  const size_t setting = o.levels() - 1 - level;
  const int64_t out = rising[level], below = rising[level == 0 ? 0 : level - 1], above = rising[level + !is_last];
  LevelPlan plan{.type = o.up_block_types[level],
                 .setting = setting,
                 .in_channels = {},
                 .out_channels = out,
                 .depths = o.reverse_transformer_layers_per_block ? (*o.reverse_transformer_layers_per_block)[level]
                                                                  : o.transformer_layers_per_block[setting],
                 .head_features = o.attention_head_dim[level]};
  const int64_t layers = o.layers_per_block[setting];
  for (int64_t i = 0; i <= layers; ++i)
    plan.in_channels.push_back((i == 0 ? below : out) + (i == layers ? above : out));
  UNetLevel made = make_layers(o, plan, init);
  if (!is_last) made.resamplers.push_back(std::make_unique<Upsample2D>(out, init));
  return made;
}

}  // namespace plumb
