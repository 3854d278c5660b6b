#pragma once

#include <string>
#include <vector>

#include "nn/layers/layer_norm.h"
#include "nn/layers/linear.h"

// The transformer that CLIP's text and picture encoders share: transformers' CLIPEncoder.  [Radford et al. 2021]

namespace plumb {

struct ClipEncoderOptions {
  int64_t features = 0;
  int64_t hidden_features = 0;  ///< inside the feed-forward part
  int64_t layers = 0;
  int64_t heads = 1;
  std::string act = "quick_gelu";  ///< x sigmoid(1.702 x); or gelu, exact
  double eps = 1e-5;
  bool causal = false;  ///< a token sees itself and those before it
};

/// Multi-head self-attention, CLIPAttention. Weights: k_proj, v_proj, q_proj, out_proj, made in this order.
class ClipAttention final : public Layer<ClipAttention> {
 public:
  ClipAttention(const ClipEncoderOptions& options, Init init);
  explicit ClipAttention(const ClipAttention&) = default;

  /// x: [N, T, features] and so the result.
  Variable forward(const Variable& x) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  Variable split(const Variable& tokens) const;

  int64_t heads_;
  bool causal_;
  Linear k_proj_, v_proj_, q_proj_, out_proj_;
};

/// x = x + self_attn(layer_norm1(x));  y = x + fc2(act(fc1(layer_norm2(x)))): CLIPEncoderLayer.
class ClipLayer final : public Layer<ClipLayer> {
 public:
  ClipLayer(const ClipEncoderOptions& options, Init init);
  explicit ClipLayer(const ClipLayer&) = default;

  Variable forward(const Variable& x) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  bool quick_;
  ClipAttention self_attn_;
  LayerNorm layer_norm1_;
  Linear fc1_, fc2_;
  LayerNorm layer_norm2_;
};

class ClipEncoder final : public Layer<ClipEncoder> {
 public:
  ClipEncoder(const ClipEncoderOptions& options, Init init);
  explicit ClipEncoder(const ClipEncoder&) = default;

  /// While on, backward computes each layer again instead of keeping what is inside it.
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }
  /// x: [N, T, features] · returns x and what each layer makes of it: layers + 1 of them.
  std::vector<Variable> forward(const Variable& x);
  void visit(ModuleVisitor& visitor) override { visitor("layers", layers_); }

 private:
  bool checkpointing_ = false;
  ModuleList<ClipLayer> layers_;
};

}  // namespace plumb
