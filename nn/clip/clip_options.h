#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/io/json.h"

namespace plumb {

/// The configuration of a CLIP text encoder; names, defaults and meaning are those of transformers' CLIPTextConfig.
struct ClipTextOptions {
  int64_t vocab_size = 49408;
  int64_t hidden_size = 512;
  int64_t intermediate_size = 2048;
  int64_t projection_dim = 512;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 8;
  int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";  ///< or gelu
  double layer_norm_eps = 1e-5;
  double initializer_range = 0.02;  ///< kept for the file
  double initializer_factor = 1;    ///< kept for the file
  std::optional<int64_t> pad_token_id = 1;
  std::optional<int64_t> bos_token_id = 49406;
  std::optional<int64_t> eos_token_id = 49407;  ///< 2 has a meaning of its own; see ClipTextModel
  bool with_projection = false;                 ///< CLIPTextModelWithProjection instead of CLIPTextModel

  /// Throws ValueError naming the key whose value is impossible or not supported.
  void check() const;
};

/// The same for the picture encoder, CLIPVisionConfig.
struct ClipVisionOptions {
  int64_t hidden_size = 768;
  int64_t intermediate_size = 3072;
  int64_t projection_dim = 512;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t num_channels = 3;
  int64_t image_size = 224;
  int64_t patch_size = 32;
  std::string hidden_act = "quick_gelu";  ///< or gelu
  double layer_norm_eps = 1e-5;
  double initializer_range = 0.02;  ///< kept for the file
  double initializer_factor = 1;    ///< kept for the file
  bool with_projection = false;     ///< CLIPVisionModelWithProjection instead of CLIPVisionModel

  /// Throws ValueError naming the key whose value is impossible or not supported.
  void check() const;
};

/// Options from a transformers config.json, of the encoder alone or of a whole CLIPModel (its text_config or
/// vision_config, and projection_dim); with_projection follows "architectures", and a CLIPModel has projections.
/// Absent keys keep their defaults; keys that every transformers model may have and CLIP does not read, such as those
/// of text generation, are passed over. Throws ValueError naming a key that is unknown, whose value has the wrong kind
/// or that is not supported.
ClipTextOptions clip_text_options(const Json& config);
ClipVisionOptions clip_vision_options(const Json& config);

/// The config.json of these options, with architectures and model_type.
Json config_of(const ClipTextOptions& options);
Json config_of(const ClipVisionOptions& options);

}  // namespace plumb
