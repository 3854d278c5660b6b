#pragma once

#include "nn/layers/linear.h"

namespace plumb {

struct AttentionLayerOptions {
  int64_t query_features = 0;    ///< of a token that asks, and of the result
  int64_t context_features = 0;  ///< of a token that answers; 0: query_features
  int64_t heads = 8;
  int64_t head_features = 64;
  bool bias = false;  ///< of to_q, to_k, to_v; to_out.0 always has one
};

/// Multi-head attention with its four projections, diffusers' Attention:
///   y = to_out.0(attention(to_q(x), to_k(context), to_v(context)))
/// x: [N, T, query_features] · context: [N, S, context_features] · y: [N, T, query_features]. Differentiable. Weights:
/// to_q, to_k, to_v, to_out.0; made in this order.
class AttentionLayer final : public Layer<AttentionLayer> {
 public:
  /// Throws ValueError unless heads and head_features are positive.
  AttentionLayer(const AttentionLayerOptions& options, Init init);
  explicit AttentionLayer(const AttentionLayer&) = default;

  Variable forward(const Variable& x, const Variable& context) const;
  Variable forward(const Variable& x) const { return forward(x, x); }
  void visit(ModuleVisitor& visitor) override;

 private:
  Variable split(const Variable& tokens) const;

  int64_t heads_, head_features_;
  Linear to_q_, to_k_, to_v_, to_out_;
};

}  // namespace plumb
