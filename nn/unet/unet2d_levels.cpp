#include "nn/unet/unet2d_levels.h"

#include <memory>

#include "nn/unet/picture_attention.h"

namespace plumb {
namespace {

ResnetBlock2DOptions resnet_options(const UNet2DOptions& o, int64_t in_channels, int64_t out_channels) {
  return {.in_channels = in_channels,
          .out_channels = out_channels,
          .temb_channels = o.time_features(),
          .groups = o.norm_num_groups,
          .eps = o.norm_eps,
          .dropout = o.dropout,
          .time_scale_shift =
              o.resnet_time_scale_shift == "scale_shift" ? TimeScaleShift::scale_shift : TimeScaleShift::default_,
          .act = activation_kind(o.act_fn)};
}

PictureAttentionOptions attention_options(const UNet2DOptions& o, int64_t channels) {
  return {.channels = channels,
          .head_features = o.attention_head_dim.value_or(channels),
          .groups = o.norm_num_groups,
          .eps = o.norm_eps};
}

struct LevelPlan {
  std::vector<int64_t> in_channels;  // of each residual block
  int64_t out_channels;
  bool attention;
};

UNetLevel make_layers(const UNet2DOptions& o, const LevelPlan& plan, Init init) {
  UNetLevel level;
  for (const int64_t in_channels : plan.in_channels) {
    level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet_options(o, in_channels, plan.out_channels), init));
    if (plan.attention)
      level.attentions.push_back(std::make_unique<PictureAttention>(attention_options(o, plan.out_channels), init));
  }
  return level;
}

std::unique_ptr<Resampler> resnet_resampler(const UNet2DOptions& o, int64_t channels, Resampling how, Init init) {
  ResnetBlock2DOptions options = resnet_options(o, channels, channels);
  options.resampling = how;
  return std::make_unique<ResnetResampler>(options, init);
}

}  // namespace

UNetLevel unet2d_down_level(const UNet2DOptions& o, size_t level, Init init) {
  const int64_t out = o.block_out_channels[level];
  LevelPlan plan{std::vector<int64_t>(size_t(o.layers_per_block), out), out,
                 o.down_block_types[level] == "AttnDownBlock2D"};
  plan.in_channels[0] = o.block_out_channels[level == 0 ? 0 : level - 1];
  UNetLevel made = make_layers(o, plan, init);
  if (level + 1 == o.block_out_channels.size()) return made;
  if (plan.attention && o.downsample_type == "resnet")
    made.resamplers.push_back(resnet_resampler(o, out, Resampling::down, init));
  else
    made.resamplers.push_back(std::make_unique<Downsample2D>(out, o.downsample_padding, init));
  return made;
}

UNetLevel unet2d_mid_level(const UNet2DOptions& o, Init init) {
  const int64_t channels = o.block_out_channels.back();
  ResnetBlock2DOptions resnet = resnet_options(o, channels, channels);
  resnet.output_scale_factor = o.mid_block_scale_factor;
  PictureAttentionOptions attention = attention_options(o, channels);
  attention.rescale_output_factor = o.mid_block_scale_factor;
  // diffusers leaves this normalisation out with scale_shift, unless its groups are given.
  const int64_t groups = o.resnet_time_scale_shift == "default" ? o.norm_num_groups : 0;
  attention.groups = o.attn_norm_num_groups.value_or(groups);
  UNetLevel level;
  level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet, init));
  level.attentions.push_back(o.add_attention ? std::make_unique<PictureAttention>(attention, init) : nullptr);
  level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet, init));
  return level;
}

UNetLevel unet2d_up_level(const UNet2DOptions& o, size_t level, Init init) {
  const std::vector<int64_t> rising(o.block_out_channels.rbegin(), o.block_out_channels.rend());
  const bool is_last = level + 1 == rising.size();
  const int64_t out = rising[level], below = rising[level == 0 ? 0 : level - 1], above = rising[level + !is_last];
  LevelPlan plan{{}, out, o.up_block_types[level] == "AttnUpBlock2D"};
  for (int64_t i = 0; i <= o.layers_per_block; ++i)
    plan.in_channels.push_back((i == 0 ? below : out) + (i == o.layers_per_block ? above : out));
  UNetLevel made = make_layers(o, plan, init);
  if (is_last) return made;
  if (plan.attention && o.upsample_type == "resnet")
    made.resamplers.push_back(resnet_resampler(o, out, Resampling::up, init));
  else
    made.resamplers.push_back(std::make_unique<Upsample2D>(out, init));
  return made;
}

}  // namespace plumb
