#include "diffusion/unet_denoiser.h"

#include "engine/require.h"

namespace plumb {

UNetDenoiser::UNetDenoiser(const UNet2DOptions& options, Init init) : unet_(options, init) {
  require<ValueError>(options.in_channels == options.out_channels,
                      "UNet denoiser: in_channels and out_channels must be equal ({}, {})", options.in_channels,
                      options.out_channels);
}

Variable UNetDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  return unet_.forward(x, t, {.class_labels = condition.labels, .dropout = dropout_});
}

}  // namespace plumb
