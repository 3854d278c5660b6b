#pragma once

#include <optional>
#include <vector>

#include "nn/clip/clip_encoder.h"
#include "nn/clip/clip_options.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/embedding.h"

namespace plumb {

/// What a ClipVisionModel makes of N pictures; T = 1 + patches tokens.
struct ClipVisionOutput {
  Variable last_hidden_state;           ///< [N, T, hidden_size], not normalised
  Variable pooled;                      ///< [N, hidden_size]: the class token, normalised
  Variable image_embeds;                ///< [N, projection_dim]: pooled, projected; undefined without projection
  std::vector<Variable> hidden_states;  ///< [N, T, hidden_size] each: what goes into the first layer, then behind each
};

/// transformers' CLIPVisionModel and, with_projection, CLIPVisionModelWithProjection.  [Radford et al. 2021]
/// Names and order of the weights are those of the published files, vision_model.… (pre_layrnorm among them) and
/// visual_projection.weight. Differentiable in the picture and the weights. First values are torch's for each layer.
class ClipVisionModel final : public Layer<ClipVisionModel> {
 public:
  /// Throws ValueError for impossible options (see ClipVisionOptions::check).
  ClipVisionModel(const ClipVisionOptions& options, Init init);
  explicit ClipVisionModel(const ClipVisionModel&) = default;

  const ClipVisionOptions& options() const { return options_; }
  /// Of the weights.
  DType dtype() { return class_embedding_.dtype(); }
  void set_gradient_checkpointing(bool on) { encoder_.set_gradient_checkpointing(on); }

  /// pixels: [N, num_channels, image_size, image_size], normalised by the mean and deviation the model was trained
  /// with. Throws ShapeError.
  ClipVisionOutput forward(const Variable& pixels);
  void visit(ModuleVisitor& visitor) override;

 private:
  ClipVisionOptions options_;
  Parameter class_embedding_;
  Conv2d patch_embedding_;
  Embedding position_embedding_;
  LayerNorm pre_layrnorm_;
  ClipEncoder encoder_;
  LayerNorm post_layernorm_;
  std::optional<Linear> visual_projection_;
};

}  // namespace plumb
