#include "nn/vae/autoencoder_kl.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/vae/tiles.h"

namespace plumb {
namespace {

const AutoencoderKLOptions& checked(const AutoencoderKLOptions& options) {
  options.check();
  return options;
}

/// A 1x1 convolution that may be left out.
std::optional<Conv2d> pointwise(bool used, int64_t channels, Init init) {
  if (!used) return {};
  return std::optional<Conv2d>(std::in_place, channels, channels, Size2d{1, 1}, init);
}

/// diffusers' arithmetic, its rounding included: `in` and `out` are the sizes of a tile before and behind the network.
TilePlan plan_of(int64_t in, int64_t out, double overlap) {
  const int64_t blend = int64_t(double(out) * overlap);
  return {.size = in, .step = int64_t(double(in) * (1 - overlap)), .blend = blend, .keep = out - blend};
}

/// A number a channel, beside [N, C, H, W].
Variable by_channel(const std::vector<double>& values, const Variable& like) {
  return from_vector(values, Shape{1, int64_t(values.size()), 1, 1}).to(like.dtype()).to(like.device());
}

}  // namespace

AutoencoderKL::AutoencoderKL(const AutoencoderKLOptions& options, Init init)
    : options_(checked(options)),
      encoder_(options, init),
      decoder_(options, init),
      quant_conv_(pointwise(options.use_quant_conv, 2 * options.latent_channels, init)),
      post_quant_conv_(pointwise(options.use_post_quant_conv, options.latent_channels, init)) {}

void AutoencoderKL::set_tiling(bool on) {
  if (on)
    set_tiling({.sample_size = options_.sample_size, .latent_size = options_.sample_size / options_.reduction()});
  else
    tiling_.reset();
}

void AutoencoderKL::set_tiling(const VaeTiling& tiling) {
  require<ValueError>(tiling.overlap >= 0 && tiling.overlap < 1 && tiling.sample_size >= options_.reduction() &&
                          double(std::min(tiling.sample_size, tiling.latent_size)) * (1 - tiling.overlap) >= 1,
                      "AutoencoderKL: tiles are too small to overlap; {} pixels, {} of latents, overlap {}",
                      tiling.sample_size, tiling.latent_size, tiling.overlap);
  tiling_ = tiling;
}

DiagonalGaussian AutoencoderKL::encode(const Variable& x) {
  const BlockInputs inputs{.temb = {}, .checkpoint = checkpointing_};
  auto network = [&](const Variable& part) {
    require<ShapeError>(part.rank() == 4 && part.size(1) == options_.in_channels &&
                            std::min(part.size(2), part.size(3)) >= options_.reduction(),
                        "AutoencoderKL: pictures must be [N, {}, H, W] with H and W at least {}; {}{}",
                        options_.in_channels, options_.reduction(), part.shape() == x.shape() ? "" : "a tile of ",
                        x.value());
    const Variable h = encoder_.forward(part, inputs);
    return contiguous(quant_conv_ ? quant_conv_->forward(h) : h);
  };
  if (tiling_ && x.rank() == 4 && std::max(x.size(2), x.size(3)) > tiling_->sample_size)
    return DiagonalGaussian(
        map_tiles(x, plan_of(tiling_->sample_size, tiling_->latent_size, tiling_->overlap), network));
  return DiagonalGaussian(network(x));
}

Variable AutoencoderKL::decode(const Variable& z) {
  require<ShapeError>(z.rank() == 4 && z.size(1) == options_.latent_channels,
                      "AutoencoderKL: latents must be [N, {}, H, W]; {}", options_.latent_channels, z.value());
  const BlockInputs inputs{.temb = {}, .checkpoint = checkpointing_};
  auto network = [&](const Variable& part) {
    const Variable h = post_quant_conv_ ? post_quant_conv_->forward(to_channels_last(part)) : part;
    return contiguous(decoder_.forward(h, inputs));
  };
  if (tiling_ && std::max(z.size(2), z.size(3)) > tiling_->latent_size)
    return map_tiles(z, plan_of(tiling_->latent_size, tiling_->sample_size, tiling_->overlap), network);
  return network(z);
}

Variable AutoencoderKL::scaled(const Variable& z) const {
  if (options_.latents_mean)
    return (z - by_channel(*options_.latents_mean, z)) * options_.scaling_factor / by_channel(*options_.latents_std, z);
  return (options_.shift_factor ? z - *options_.shift_factor : z) * options_.scaling_factor;
}

Variable AutoencoderKL::unscaled(const Variable& z) const {
  if (options_.latents_mean)
    return z * by_channel(*options_.latents_std, z) / options_.scaling_factor + by_channel(*options_.latents_mean, z);
  const Variable y = z / options_.scaling_factor;
  return options_.shift_factor ? y + *options_.shift_factor : y;
}

void AutoencoderKL::visit(ModuleVisitor& visitor) {
  visitor("encoder", encoder_);
  visitor("decoder", decoder_);
  if (quant_conv_) visitor("quant_conv", *quant_conv_);
  if (post_quant_conv_) visitor("post_quant_conv", *post_quant_conv_);
}

}  // namespace plumb
