#pragma once

#include <memory>
#include <optional>

#include "nn/unet/class_embedding.h"
#include "nn/unet/unet_blocks.h"

namespace plumb {

/// What a UNet2DConditionModel is given besides picture and timestep; each where its options ask for it, and nowhere
/// else.
struct UNet2DConditionInputs {
  Variable encoder_hidden_states = {};  ///< tokens of a text, [N, tokens, cross_attention_dim]
  Variable text_embeds = {};            ///< the whole text, [N, features]; SDXL's pooled embedding
  Tensor time_ids = {};                 ///< [N, count]; SDXL's sizes and crop, 6 numbers
  /// [N]: i64 rows of the table, or timesteps; [N, features] where class_embed_type takes vectors.
  Tensor class_labels = {};
  /// Set while training: where dropout's draws come from. Without it nothing is dropped.
  std::optional<RandomKey> dropout = {};
};

/// diffusers' UNet2DConditionModel, the network of Stable Diffusion 1, 2 and XL: UNet2DModel's levels, with
/// transformers that look at a text.  [Rombach et al. 2022, Podell et al. 2023]
/// x: [N, in_channels, H, W] of any size, in the weights' dtype · t: [N] · returns [N, out_channels, H, W], contiguous.
/// Differentiable in x, the two embeddings of the text and the weights.
/// Inside everything is channels-last: converted once at the way in, once at the way out. Names and order of the
/// weights are diffusers' state dict, and the same seed gives torch's first weights.
/// Where H and W are no multiples of 2^(levels - 1), the way up meets the sizes of the way down, as in diffusers.
class UNet2DConditionModel final : public Layer<UNet2DConditionModel> {
 public:
  /// Throws ValueError for impossible options (see UNet2DConditionOptions::check).
  UNet2DConditionModel(const UNet2DConditionOptions& options, Init init);
  explicit UNet2DConditionModel(const UNet2DConditionModel&) = default;

  const UNet2DConditionOptions& options() const { return options_; }
  /// Of the weights.
  DType dtype() { return conv_in_.weight().dtype(); }
  /// While on, backward computes each residual block and each transformer block again instead of keeping what is inside
  /// it: a third more work, for memory. diffusers' enable_gradient_checkpointing.
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }

  /// Throws ShapeError when an input does not fit, ValueError when one is missing or not wanted.
  Variable forward(const Variable& x, const Tensor& t, const UNet2DConditionInputs& inputs = {});
  void visit(ModuleVisitor& visitor) override;

 private:
  void check(const Variable& x, const Tensor& t, const UNet2DConditionInputs& inputs) const;
  void check_context(const UNet2DConditionInputs& inputs, int64_t pictures) const;
  void check_text_time(const UNet2DConditionInputs& inputs, int64_t pictures) const;
  Variable time_features(const Tensor& t, const UNet2DConditionInputs& inputs, DType dtype) const;
  Variable text_time_features(const UNet2DConditionInputs& inputs, DType dtype) const;
  Variable way_out(const Variable& h) const;

  UNet2DConditionOptions options_;
  int64_t context_features_;
  bool checkpointing_ = false;
  Conv2d conv_in_;
  TimestepMlp time_embedding_;
  std::optional<ClassEmbedding> class_embedding_;
  std::optional<TimestepMlp> add_embedding_;
  ModuleList<UNetDownBlock> down_blocks_;
  std::optional<UNetMidBlock> mid_block_;
  ModuleList<UNetUpBlock> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace plumb
