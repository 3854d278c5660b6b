#pragma once

#include <optional>

#include "nn/layers/conv2d.h"
#include "nn/layers/group_norm.h"
#include "nn/transformer/basic_transformer_block.h"
#include "nn/unet/block_inputs.h"

namespace plumb {

struct Transformer2DOptions {
  int64_t in_channels = 0;
  int64_t heads = 8;
  int64_t head_features = 64;  ///< heads * head_features inside
  int64_t layers = 1;
  int64_t context_features = 0;        ///< 0: no cross attention
  bool only_cross_attention = false;   ///< see BasicTransformerBlockOptions
  bool use_linear_projection = false;  ///< proj_in and proj_out as linear layers: SD2 and SDXL; else 1x1 convolutions
  int64_t norm_num_groups = 32;
  bool attention_bias = false;
  double dropout = 0;
};

/// diffusers' Transformer2DModel on pictures: pixels as tokens that look at each other and at a text.
///   y = x + proj_out(blocks(proj_in(norm(x))))
/// Reads context, dropout and checkpoint of the inputs; a checkpoint is a block. Weights: norm, proj_in,
/// transformer_blocks, proj_out.
class Transformer2D final : public SpatialLayer {
 public:
  /// Throws ValueError when a size is not positive or channels are no multiple of groups.
  Transformer2D(const Transformer2DOptions& options, Init init);
  explicit Transformer2D(const Transformer2D&) = default;

  Variable forward(const Variable& x, const BlockInputs& inputs) override;
  void visit(ModuleVisitor& visitor) override;
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<Transformer2D>(*this); }

 private:
  /// One projection, in either of its two forms.
  struct Projection {
    std::optional<Linear> linear;
    std::optional<Conv2d> conv;
    Projection(bool is_linear, int64_t in, int64_t out, Init init);
    explicit Projection(const Projection&) = default;
    /// x: a channels-last picture, and so the result.
    Variable forward(const Variable& x) const;
    Module& module();
  };
  Variable run_block(BasicTransformerBlock& block, const Variable& tokens, const BlockInputs& inputs) const;

  GroupNorm norm_;
  Projection proj_in_;
  ModuleList<BasicTransformerBlock> blocks_;
  Projection proj_out_;
};

}  // namespace plumb
