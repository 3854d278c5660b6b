#include "diffusion/unet_denoiser.h"

#include "autograd/ops.h"
#include "engine/require.h"
#include "nn/unet/unet2d_config.h"

namespace plumb {
namespace {

/// Refused before a network is made, which may be large.
const UNet2DOptions& same_channels(const UNet2DOptions& options) {
  require<ValueError>(options.in_channels == options.out_channels,
                      "UNet denoiser: in_channels and out_channels must be equal ({}, {})", options.in_channels,
                      options.out_channels);
  return options;
}

}  // namespace

UNetDenoiser::UNetDenoiser(const UNet2DOptions& options, Init init) : unet_(same_channels(options), init) {}

int64_t UNetDenoiser::classes() const {
  const UNet2DOptions& options = unet_.options();
  return options.class_embed_type.empty() ? options.num_class_embeds.value_or(0) : 0;
}

Json UNetDenoiser::config() const { return config_of(unet_.options()); }

Variable UNetDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  return to(unet_.forward(to(x, unet_.dtype()), t, {.class_labels = condition.labels, .dropout = dropout_}), x.dtype());
}

}  // namespace plumb
