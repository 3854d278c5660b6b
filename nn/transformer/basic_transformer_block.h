#pragma once

#include <optional>

#include "nn/layers/layer_norm.h"
#include "nn/transformer/attention_layer.h"
#include "nn/transformer/feed_forward.h"

namespace plumb {

struct BasicTransformerBlockOptions {
  int64_t features = 0;
  int64_t heads = 8;
  int64_t head_features = 64;
  int64_t context_features = 0;       ///< of the tokens of cross attention; 0: the block has none
  bool only_cross_attention = false;  ///< attn1 looks at the context, too
  bool attention_bias = false;
  double dropout = 0;  ///< inside the feed-forward part and behind both attentions
};

/// diffusers' BasicTransformerBlock with layer norms:
///   x = x + attn1(norm1(x));   x = x + attn2(norm2(x), context);   y = x + ff(norm3(x))
/// x: [N, T, features] and so y · context: [N, S, context_features]. Differentiable in both.
/// Weights: norm1, attn1, norm2, attn2 (with cross attention), norm3, ff.
class BasicTransformerBlock final : public Layer<BasicTransformerBlock> {
 public:
  BasicTransformerBlock(const BasicTransformerBlockOptions& options, Init init);
  explicit BasicTransformerBlock(const BasicTransformerBlock&) = default;

  /// context: undefined where the block has no cross attention, ValueError otherwise. Without a key nothing is dropped.
  Variable forward(const Variable& x, const Variable& context, const std::optional<RandomKey>& key = {}) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  double dropout_;
  bool only_cross_attention_;
  LayerNorm norm1_;
  AttentionLayer attn1_;
  std::optional<LayerNorm> norm2_;
  std::optional<AttentionLayer> attn2_;
  LayerNorm norm3_;
  FeedForward ff_;
};

}  // namespace plumb
