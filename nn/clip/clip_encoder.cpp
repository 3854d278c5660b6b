#include "nn/clip/clip_encoder.h"

#include "autograd/ops/attention.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "nn/checkpoint_module.h"

namespace plumb {

ClipAttention::ClipAttention(const ClipEncoderOptions& o, Init init)
    : heads_(o.heads),
      causal_(o.causal),
      k_proj_(o.features, o.features, init),
      v_proj_(o.features, o.features, init),
      q_proj_(o.features, o.features, init),
      out_proj_(o.features, o.features, init) {}

/// [N, T, features] as [N, heads, T, features / heads]: a view.
Variable ClipAttention::split(const Variable& tokens) const {
  return permute(reshape(tokens, {tokens.size(0), tokens.size(1), heads_, tokens.size(2) / heads_}), {0, 2, 1, 3});
}

Variable ClipAttention::forward(const Variable& x) const {
  const Variable heads =
      attention(split(q_proj_.forward(x)), split(k_proj_.forward(x)), split(v_proj_.forward(x)), {.causal = causal_});
  return out_proj_.forward(reshape(permute(heads, {0, 2, 1, 3}), x.shape()));
}

void ClipAttention::visit(ModuleVisitor& visitor) {
  visitor("k_proj", k_proj_);
  visitor("v_proj", v_proj_);
  visitor("q_proj", q_proj_);
  visitor("out_proj", out_proj_);
}

ClipLayer::ClipLayer(const ClipEncoderOptions& o, Init init)
    : quick_(o.act == "quick_gelu"),
      self_attn_(o, init),
      layer_norm1_({o.features}, {.eps = o.eps}),
      fc1_(o.features, o.hidden_features, init),
      fc2_(o.hidden_features, o.features, init),
      layer_norm2_({o.features}, {.eps = o.eps}) {}

Variable ClipLayer::forward(const Variable& x) const {
  const Variable h = add(x, self_attn_.forward(layer_norm1_.forward(x)));
  const Variable wide = fc1_.forward(layer_norm2_.forward(h));
  return add(h, fc2_.forward(quick_ ? quick_gelu(wide) : gelu(wide)));
}

void ClipLayer::visit(ModuleVisitor& visitor) {
  visitor("self_attn", self_attn_);
  visitor("layer_norm1", layer_norm1_);
  visitor("mlp.fc1", fc1_);
  visitor("mlp.fc2", fc2_);
  visitor("layer_norm2", layer_norm2_);
}

ClipEncoder::ClipEncoder(const ClipEncoderOptions& options, Init init) {
  for (int64_t i = 0; i < options.layers; ++i) layers_.push_back(std::make_unique<ClipLayer>(options, init));
}

std::vector<Variable> ClipEncoder::forward(const Variable& x) {
  std::vector<Variable> states{x};
  for (auto& each : layers_) {
    ClipLayer* layer = each.get();
    auto run = [layer](const Variable& in) { return layer->forward(in); };
    states.push_back(checkpointing_ ? checkpoint_module(*layer, run, states.back()) : run(states.back()));
  }
  return states;
}

}  // namespace plumb
