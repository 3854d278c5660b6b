#pragma once

#include "engine/tensor.h"

namespace plumb {

/// A rough picture of Stable Diffusion 1's latents, without the autoencoder: each pixel of the latents gives one of the
/// preview, by a linear map fitted by hand.   [keturn 2022, "Decoding latents to RGB without upscaling"]
/// latents: [N, 4, H, W], as the network sees them · returns f32 [N, 3, H, W], about in [-1, 1]. Other numbers of
/// channels: the first three, or the first one thrice.
Tensor latent_preview(const Tensor& latents);

}  // namespace plumb
