#pragma once

#include <optional>
#include <span>
#include <string>

#include "diffusion/condition.h"
#include "nn/clip/clip_text_model.h"
#include "nn/clip/tokenizer.h"

namespace plumb {

/// A tokenizer and the network behind it; both null where a model has none.
struct TextEncoder {
  const ClipTokenizer* tokenizer = nullptr;
  ClipTextModel* model = nullptr;
};

/// The text encoders of a Stable Diffusion model. 1.x and 2.x have `first` alone. SDXL has `second`, whose network has
/// a projection, and both but in its refiner.
struct TextEncoders {
  TextEncoder first, second = {};
  bool force_zeros_for_empty_prompt = true;  ///< SDXL; see encode_negative_prompts
};

struct PromptOptions {
  /// Layers left out at the end, diffusers' clip_skip. Without second encoder 1 is the layer in front of the last one,
  /// behind the last normalisation; with one, where the last layer is always left out, the layer in front of that.
  int64_t clip_skip = 0;
};

/// Prompts as diffusers' pipelines encode them: padded to the tokenizers' length, longer ones cut.
///   first alone: context = the last hidden state, normalised
///   with second: context = the last but one hidden states of both, side by side, not normalised; pooled = second's
///   projected features at the end of each prompt
/// Returns context [N, tokens, features] and pooled [N, features], on the networks' device, not recorded; time_ids are
/// size_ids(). Throws ValueError when encoders are missing, when their lengths differ, when second has no projection,
/// or when clip_skip leaves no layer; what the tokenizers and networks throw.
Condition encode_prompts(const TextEncoders& encoders, std::span<const std::string> prompts,
                         const PromptOptions& options = {});

/// Negative prompts, one for each prompt. clip_skip has no say in them. Without any (no value, which is not the same as
/// empty texts) they are empty texts, and for SDXL with force_zeros_for_empty_prompt everything is zeros.
Condition encode_negative_prompts(const TextEncoders& encoders,
                                  const std::optional<std::span<const std::string>>& prompts, int64_t count);

/// What SDXL is told about a picture, in pixels.
struct SizeIds {
  int64_t original_height = 1024, original_width = 1024;  ///< before it was made smaller
  int64_t crop_top = 0, crop_left = 0;                    ///< of the part that was cut out
  int64_t target_height = 1024, target_width = 1024;
};
/// Condition::time_ids of `count` pictures: f32 [count, 6].
Tensor size_ids(const SizeIds& sizes, int64_t count);

/// The end of a prompt that is too long to be read, as it reads; empty where all of it is read.
std::string cut_off(const ClipTokenizer& tokenizer, const std::string& prompt);

}  // namespace plumb
