#include "nn/transformer/attention_layer.h"

#include "autograd/ops/attention.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

const AttentionLayerOptions& checked(const AttentionLayerOptions& options) {
  require<ValueError>(options.heads >= 1 && options.head_features >= 1,
                      "attention layer: heads and head_features must be at least 1 ({}, {})", options.heads,
                      options.head_features);
  return options;
}

int64_t answers(const AttentionLayerOptions& options) {
  return options.context_features > 0 ? options.context_features : options.query_features;
}

}  // namespace

AttentionLayer::AttentionLayer(const AttentionLayerOptions& options, Init init)
    : heads_(checked(options).heads),
      head_features_(options.head_features),
      to_q_(options.query_features, heads_ * head_features_, init, {.bias = options.bias}),
      to_k_(answers(options), heads_ * head_features_, init, {.bias = options.bias}),
      to_v_(answers(options), heads_ * head_features_, init, {.bias = options.bias}),
      to_out_(heads_ * head_features_, options.query_features, init) {}

/// [N, T, heads * features] as [N, heads, T, features]: a view.
Variable AttentionLayer::split(const Variable& tokens) const {
  return permute(reshape(tokens, {tokens.size(0), tokens.size(1), heads_, head_features_}), {0, 2, 1, 3});
}

Variable AttentionLayer::forward(const Variable& x, const Variable& context) const {
  require<ShapeError>(x.rank() == 3 && context.rank() == 3 && x.size(0) == context.size(0),
                      "attention layer: x and context must be [N, tokens, features] of one N; x {}, context {}",
                      x.value(), context.value());
  const Variable heads =
      attention(split(to_q_.forward(x)), split(to_k_.forward(context)), split(to_v_.forward(context)));
  const Variable tokens = reshape(permute(heads, {0, 2, 1, 3}), {x.size(0), x.size(1), heads_ * head_features_});
  return to_out_.forward(tokens);
}

void AttentionLayer::visit(ModuleVisitor& visitor) {
  visitor("to_q", to_q_);
  visitor("to_k", to_k_);
  visitor("to_v", to_v_);
  visitor("to_out.0", to_out_);  // to_out.1 is a dropout without weights
}

}  // namespace plumb
