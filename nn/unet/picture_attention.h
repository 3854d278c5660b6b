#pragma once

#include <optional>

#include "nn/layers/group_norm.h"
#include "nn/transformer/attention_layer.h"
#include "nn/unet/block_inputs.h"

namespace plumb {

struct PictureAttentionOptions {
  int64_t channels = 0;
  int64_t head_features = 8;  ///< channels / head_features heads
  int64_t groups = 32;        ///< of group_norm; 0: no normalisation
  double eps = 1e-5;
  double rescale_output_factor = 1;
};

/// Self-attention between the pixels of a picture, with a residual connection: diffusers' Attention as UNet2DModel and
/// the autoencoder use it.
///   y = (x + attention(group_norm(x))) / rescale_output_factor
/// Weights: group_norm, to_q, to_k, to_v, to_out.0. In memory a channels-last picture is its list of tokens already.
class PictureAttention final : public SpatialLayer {
 public:
  PictureAttention(const PictureAttentionOptions& options, Init init);
  explicit PictureAttention(const PictureAttention&) = default;

  Variable forward(const Variable& x, const BlockInputs& inputs) override;
  void visit(ModuleVisitor& visitor) override;
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<PictureAttention>(*this); }

 private:
  double rescale_;
  std::optional<GroupNorm> norm_;
  AttentionLayer attention_;
};

}  // namespace plumb
