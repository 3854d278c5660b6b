#pragma once

#include <optional>

#include "nn/vae/diagonal_gaussian.h"
#include "nn/vae/vae_levels.h"

namespace plumb {

/// Tiles of large pictures; see AutoencoderKL::set_tiling.
struct VaeTiling {
  int64_t sample_size = 0;  ///< of a tile, in pixels of the picture
  int64_t latent_size = 0;  ///< of a tile, in pixels of the latents
  double overlap = 0.25;    ///< of neighbouring tiles, in [0, 1)
};

/// diffusers' AutoencoderKL, the autoencoder of Stable Diffusion: pictures to latents of reduction() times fewer rows
/// and columns, and back.  [Rombach et al. 2022]
/// Pictures are in [-1, 1], in the weights' dtype. Both ways are differentiable in their input and the weights.
/// Inside everything is channels-last. Names and order of the weights are diffusers' state dict, and the same seed
/// gives torch's first weights. Attention's memory grows with the pixels, not with their square.
class AutoencoderKL final : public Layer<AutoencoderKL> {
 public:
  /// Throws ValueError for impossible options (see AutoencoderKLOptions::check).
  AutoencoderKL(const AutoencoderKLOptions& options, Init init);
  explicit AutoencoderKL(const AutoencoderKL&) = default;

  const AutoencoderKLOptions& options() const { return options_; }
  /// Of the weights.
  DType dtype() { return encoder_.weight().dtype(); }
  /// While on, backward computes each residual block again instead of keeping what is inside it.
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }
  /// While on, pictures and latents larger than a tile go through the network in overlapping tiles that are blended:
  /// less memory, slightly different pictures. Tiles of options().sample_size unless given. diffusers' enable_tiling.
  /// Throws ValueError when a tile is too small to overlap.
  void set_tiling(bool on);
  void set_tiling(const VaeTiling& tiling);

  /// x: [N, in_channels, H, W], H and W at least reduction() · moments of [N, latent_channels, H / reduction(), …],
  /// rounded down. Throws ShapeError.
  DiagonalGaussian encode(const Variable& x);
  /// z: [N, latent_channels, H, W] as encode gives them · returns [N, out_channels, H reduction(), W reduction()],
  /// contiguous. Throws ShapeError.
  Variable decode(const Variable& z);

  /// What a diffusion model sees of latents z: (z - mean) scaling_factor / std with the statistics of the options,
  /// else (z - shift_factor) scaling_factor. And its inverse.
  Variable scaled(const Variable& z) const;
  Variable unscaled(const Variable& z) const;

  void visit(ModuleVisitor& visitor) override;

 private:
  AutoencoderKLOptions options_;
  bool checkpointing_ = false;
  std::optional<VaeTiling> tiling_;
  VaeEncoder encoder_;
  VaeDecoder decoder_;
  std::optional<Conv2d> quant_conv_, post_quant_conv_;
};

}  // namespace plumb
