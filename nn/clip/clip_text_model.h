#pragma once

#include <optional>
#include <vector>

#include "nn/clip/clip_encoder.h"
#include "nn/clip/clip_options.h"
#include "nn/layers/embedding.h"

namespace plumb {

/// What a ClipTextModel makes of N texts of T tokens.
struct ClipTextOutput {
  Variable last_hidden_state;  ///< [N, T, hidden_size], behind the last normalisation
  Variable pooled;             ///< [N, hidden_size]: last_hidden_state at the end of each text
  Variable text_embeds;        ///< [N, projection_dim]: pooled, projected; undefined without projection
  /// [N, T, hidden_size] each: the embeddings, then behind each layer; none went through the last normalisation. The
  /// last but one is what SDXL sees.
  std::vector<Variable> hidden_states;
};

/// transformers' CLIPTextModel and, with_projection, CLIPTextModelWithProjection.  [Radford et al. 2021]
/// A text's end is the first token eos_token_id (the first token where there is none). The value 2, which files of 2022
/// and 2023 have by mistake, stands for the token with the largest number. Padding is seen as any other token.
/// Names and order of the weights are those of the published files, text_model.… and text_projection.weight.
/// Differentiable in the weights. First values are torch's for each layer; transformers scales them otherwise.
class ClipTextModel final : public Layer<ClipTextModel> {
 public:
  /// Throws ValueError for impossible options (see ClipTextOptions::check).
  ClipTextModel(const ClipTextOptions& options, Init init);
  explicit ClipTextModel(const ClipTextModel&) = default;

  const ClipTextOptions& options() const { return options_; }
  /// Of the weights.
  DType dtype() { return token_embedding_.weight().dtype(); }
  void set_gradient_checkpointing(bool on) { encoder_.set_gradient_checkpointing(on); }

  /// ids: i64 [N, T], 1 <= T <= max_position_embeddings. Throws ShapeError, DTypeError, IndexError.
  ClipTextOutput forward(const Tensor& ids);
  /// The last normalisation alone: of a hidden state [N, T, hidden_size] in front of the last.
  Variable normalised(const Variable& state) const { return final_layer_norm_.forward(state); }
  void visit(ModuleVisitor& visitor) override;

 private:
  Tensor ends_of(const Tensor& ids) const;

  ClipTextOptions options_;
  Embedding token_embedding_, position_embedding_;
  ClipEncoder encoder_;
  LayerNorm final_layer_norm_;
  std::optional<Linear> text_projection_;
};

}  // namespace plumb
