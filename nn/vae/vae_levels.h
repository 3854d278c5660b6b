#pragma once

#include "nn/unet/unet_blocks.h"
#include "nn/vae/autoencoder_kl_options.h"

// The halves of an AutoencoderKL: diffusers' Encoder and Decoder. Every picture inside is channels-last.

namespace plumb {

/// One level, diffusers' DownEncoderBlock2D and UpDecoderBlock2D: residual blocks, then a change of size.
class VaeLevel final : public Layer<VaeLevel> {
 public:
  /// resamplers: the name of the change of size, "downsamplers" or "upsamplers".
  VaeLevel(UNetLevel level, const char* resamplers) : level_(std::move(level)), resamplers_(resamplers) {}
  explicit VaeLevel(const VaeLevel&) = default;

  Variable forward(Variable x, const BlockInputs& inputs);
  void visit(ModuleVisitor& visitor) override;

 private:
  UNetLevel level_;
  const char* resamplers_;
};

/// Picture to moments, 2 latent_channels.
class VaeEncoder final : public Layer<VaeEncoder> {
 public:
  VaeEncoder(const AutoencoderKLOptions& options, Init init);
  explicit VaeEncoder(const VaeEncoder&) = default;

  /// x: [N, in_channels, H, W] · y: [N, 2 latent_channels, H / reduction, W / reduction], rounded down on each level.
  Variable forward(const Variable& x, const BlockInputs& inputs);
  void visit(ModuleVisitor& visitor) override;
  Parameter& weight() { return conv_in_.weight(); }

 private:
  Conv2d conv_in_;
  ModuleList<VaeLevel> down_blocks_;
  UNetMidBlock mid_block_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

/// Latents to picture.
class VaeDecoder final : public Layer<VaeDecoder> {
 public:
  VaeDecoder(const AutoencoderKLOptions& options, Init init);
  explicit VaeDecoder(const VaeDecoder&) = default;

  /// z: [N, latent_channels, H, W] · y: [N, out_channels, H reduction, W reduction].
  Variable forward(const Variable& z, const BlockInputs& inputs);
  void visit(ModuleVisitor& visitor) override;

 private:
  Conv2d conv_in_;
  UNetMidBlock mid_block_;
  ModuleList<VaeLevel> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace plumb
