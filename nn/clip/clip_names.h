#pragma once

#include "nn/state_dict.h"

namespace plumb {

/// The tensors of a text encoder under the names of the published files. Files that transformers 5 writes for a
/// CLIPTextModel lack "text_model." in front of their names; buffers of older ones (position_ids, I64) are left out.
/// Other tensors pass through, so that a strict load lists what does not belong; memory is shared.
StateDict with_clip_text_names(const StateDict& state);
/// The same for a picture encoder and "vision_model.".
StateDict with_clip_vision_names(const StateDict& state);

/// The part of a whole CLIPModel's tensors that belongs to its text encoder (text_model, text_projection), or to its
/// picture encoder (vision_model, visual_projection).
StateDict clip_text_part(const StateDict& state);
StateDict clip_vision_part(const StateDict& state);

}  // namespace plumb
