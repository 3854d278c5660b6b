#pragma once

#include "nn/state_dict.h"

namespace plumb {

/// Attention between pixels under today's names. Files of 2022, among them the published autoencoders of Stable
/// Diffusion, call its layers query, key, value and proj_attn (today to_q, to_k, to_v, to_out.0), and some keep their
/// weights as 1x1 convolutions [O, I, 1, 1] (today [O, I]). Other tensors pass through; memory is shared.
/// Holds for AutoencoderKL and for UNet2DModel.
StateDict with_new_attention_names(const StateDict& state);

}  // namespace plumb
