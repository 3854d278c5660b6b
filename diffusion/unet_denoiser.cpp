#include "diffusion/unet_denoiser.h"

#include "autograd/ops.h"
#include "engine/require.h"

namespace plumb {

UNetDenoiser::UNetDenoiser(const UNet2DOptions& options, Init init) : unet_(options, init) {
  require<ValueError>(options.in_channels == options.out_channels,
                      "UNet denoiser: in_channels and out_channels must be equal ({}, {})", options.in_channels,
                      options.out_channels);
}

Variable UNetDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  return to(unet_.forward(to(x, unet_.dtype()), t, {.class_labels = condition.labels, .dropout = dropout_}), x.dtype());
}

}  // namespace plumb
