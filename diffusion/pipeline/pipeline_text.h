#pragma once

#include "diffusion/pipeline/pipeline.h"
#include "diffusion/text_encoding.h"

namespace plumb {

/// A pipeline's text encoders with their tokenizers, for encode_prompts. They point into the pipeline.
inline TextEncoders text_encoders_of(const Pipeline& pipeline) {
  auto encoder = [](const std::optional<ClipTokenizer>& tokenizer, ClipTextModel* model) {
    return TextEncoder{tokenizer ? &*tokenizer : nullptr, model};
  };
  return {.first = encoder(pipeline.tokenizer, pipeline.text_encoder.get()),
          .second = encoder(pipeline.tokenizer_2, pipeline.text_encoder_2.get()),
          .force_zeros_for_empty_prompt = pipeline.force_zeros_for_empty_prompt};
}

}  // namespace plumb
