#include "nn/vae/vae_levels.h"

#include <memory>

#include "autograd/ops/layout.h"
#include "nn/unet/picture_attention.h"

namespace plumb {
namespace {

constexpr Conv2dLayerOptions kSame{.conv = {.padding = {1, 1}}};
constexpr double kEps = 1e-6;  // of every normalisation

ResnetBlock2DOptions resnet_options(const AutoencoderKLOptions& o, int64_t in_channels, int64_t out_channels) {
  return {.in_channels = in_channels,
          .out_channels = out_channels,
          .temb_channels = 0,
          .groups = o.norm_num_groups,
          .eps = kEps,
          .act = activation_kind(o.act_fn)};
}

UNetLevel layers(const AutoencoderKLOptions& o, int64_t count, int64_t in_channels, int64_t out_channels, Init init) {
  UNetLevel level;
  for (int64_t i = 0; i < count; ++i)
    level.resnets.push_back(
        std::make_unique<ResnetBlock2D>(resnet_options(o, i == 0 ? in_channels : out_channels, out_channels), init));
  return level;
}

ModuleList<VaeLevel> down_levels(const AutoencoderKLOptions& o, Init init) {
  ModuleList<VaeLevel> levels;
  const std::vector<int64_t>& channels = o.block_out_channels;
  for (size_t i = 0; i < channels.size(); ++i) {
    UNetLevel level = layers(o, o.layers_per_block, channels[i == 0 ? 0 : i - 1], channels[i], init);
    if (i + 1 < channels.size()) level.resamplers.push_back(std::make_unique<Downsample2D>(channels[i], 0, init));
    levels.push_back(std::make_unique<VaeLevel>(std::move(level), "downsamplers"));
  }
  return levels;
}

ModuleList<VaeLevel> up_levels(const AutoencoderKLOptions& o, Init init) {
  ModuleList<VaeLevel> levels;
  const std::vector<int64_t> channels(o.block_out_channels.rbegin(), o.block_out_channels.rend());
  for (size_t i = 0; i < channels.size(); ++i) {
    UNetLevel level = layers(o, o.layers_per_block + 1, channels[i == 0 ? 0 : i - 1], channels[i], init);
    if (i + 1 < channels.size()) level.resamplers.push_back(std::make_unique<Upsample2D>(channels[i], init));
    levels.push_back(std::make_unique<VaeLevel>(std::move(level), "upsamplers"));
  }
  return levels;
}

/// Attention has one head for all channels.
UNetLevel mid_level(const AutoencoderKLOptions& o, Init init) {
  const int64_t channels = o.block_out_channels.back();
  const PictureAttentionOptions attention{
      .channels = channels, .head_features = channels, .groups = o.norm_num_groups, .eps = kEps};
  UNetLevel level = layers(o, 1, channels, channels, init);
  level.attentions.push_back(o.mid_block_add_attention ? std::make_unique<PictureAttention>(attention, init) : nullptr);
  level.resnets.push_back(std::make_unique<ResnetBlock2D>(resnet_options(o, channels, channels), init));
  return level;
}

/// One channel counts as contiguous and as channels-last, and conv2d then takes it for contiguous: so once more.
Variable first(const Conv2d& conv, const Variable& x) { return to_channels_last(conv.forward(to_channels_last(x))); }

GroupNorm last_norm(const AutoencoderKLOptions& o, int64_t channels) {
  return GroupNorm(o.norm_num_groups, channels, {.eps = kEps, .silu = true});
}

}  // namespace

Variable VaeLevel::forward(Variable x, const BlockInputs& inputs) {
  for (auto& resnet : level_.resnets) x = resnet->forward(x, inputs);
  for (auto& resampler : level_.resamplers) x = resampler->forward(x, inputs);
  return x;
}

void VaeLevel::visit(ModuleVisitor& visitor) {
  visitor("resnets", level_.resnets);
  visitor(resamplers_, level_.resamplers);
}

VaeEncoder::VaeEncoder(const AutoencoderKLOptions& o, Init init)
    : conv_in_(o.in_channels, o.block_out_channels[0], {3, 3}, init, kSame),
      down_blocks_(down_levels(o, init)),
      mid_block_(mid_level(o, init)),
      conv_norm_out_(last_norm(o, o.block_out_channels.back())),
      conv_out_(o.block_out_channels.back(), 2 * o.latent_channels, {3, 3}, init, kSame) {}

Variable VaeEncoder::forward(const Variable& x, const BlockInputs& inputs) {
  Variable h = first(conv_in_, x);
  for (auto& block : down_blocks_) h = block->forward(h, inputs);
  return conv_out_.forward_normalised(mid_block_.forward(h, inputs), conv_norm_out_);
}

void VaeEncoder::visit(ModuleVisitor& visitor) {
  visitor("conv_in", conv_in_);
  visitor("down_blocks", down_blocks_);
  visitor("mid_block", mid_block_);
  visitor("conv_norm_out", conv_norm_out_);
  visitor("conv_out", conv_out_);
}

VaeDecoder::VaeDecoder(const AutoencoderKLOptions& o, Init init)
    : conv_in_(o.latent_channels, o.block_out_channels.back(), {3, 3}, init, kSame),
      mid_block_(mid_level(o, init)),
      up_blocks_(up_levels(o, init)),
      conv_norm_out_(last_norm(o, o.block_out_channels[0])),
      conv_out_(o.block_out_channels[0], o.out_channels, {3, 3}, init, kSame) {}

Variable VaeDecoder::forward(const Variable& z, const BlockInputs& inputs) {
  Variable h = mid_block_.forward(first(conv_in_, z), inputs);
  for (auto& block : up_blocks_) h = block->forward(h, inputs);
  return conv_out_.forward_normalised(h, conv_norm_out_);
}

void VaeDecoder::visit(ModuleVisitor& visitor) {
  visitor("conv_in", conv_in_);
  visitor("up_blocks", up_blocks_);
  visitor("mid_block", mid_block_);
  visitor("conv_norm_out", conv_norm_out_);
  visitor("conv_out", conv_out_);
}

}  // namespace plumb
