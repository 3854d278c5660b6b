#pragma once

#include <optional>

#include "nn/layers/embedding.h"
#include "nn/layers/timestep_mlp.h"
#include "nn/unet/unet2d_condition_options.h"

namespace plumb {

/// What a UNet2DConditionModel makes of its class labels, by class_embed_type: features to be added to the timestep's.
/// Weights: those of the one layer it is.
class ClassEmbedding final : public Layer<ClassEmbedding> {
 public:
  ClassEmbedding(const UNet2DConditionOptions& options, Init init);
  explicit ClassEmbedding(const ClassEmbedding&) = default;

  /// Throws ShapeError unless labels are [N], or vectors of the expected length where the type takes vectors.
  void check(const Tensor& labels, int64_t pictures) const;
  /// Returns [N, time_features] of this type; sinusoids of labels that are timesteps in the type of `t`.
  Variable forward(const Tensor& labels, const Tensor& t, DType dtype) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  UNet2DConditionOptions options_;
  std::optional<Embedding> table_;
  std::optional<TimestepMlp> mlp_;
  std::optional<Linear> linear_;
};

/// Sinusoids of timesteps [N] as these options have them: [N, features] of type `dtype`.
Variable unet2d_condition_sinusoids(const UNet2DConditionOptions& options, const Tensor& t, int64_t features,
                                    DType dtype);

}  // namespace plumb
