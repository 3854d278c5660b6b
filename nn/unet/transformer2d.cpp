#include "nn/unet/transformer2d.h"

#include <string>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/require.h"
#include "nn/checkpoint_module.h"

namespace plumb {
namespace {

int64_t inner_features(const Transformer2DOptions& o) {
  require<ValueError>(o.in_channels >= 1 && o.heads >= 1 && o.head_features >= 1 && o.layers >= 1,
                      "Transformer2D: in_channels, heads, head_features and layers must be at least 1 ({}, {}, {}, {})",
                      o.in_channels, o.heads, o.head_features, o.layers);
  return o.heads * o.head_features;
}

ModuleList<BasicTransformerBlock> make_blocks(const Transformer2DOptions& o, Init init) {
  ModuleList<BasicTransformerBlock> blocks;
  for (int64_t i = 0; i < o.layers; ++i)
    blocks.push_back(std::make_unique<BasicTransformerBlock>(
        BasicTransformerBlockOptions{.features = inner_features(o),
                                     .heads = o.heads,
                                     .head_features = o.head_features,
                                     .context_features = o.context_features,
                                     .only_cross_attention = o.only_cross_attention,
                                     .attention_bias = o.attention_bias,
                                     .dropout = o.dropout},
        init));
  return blocks;
}

}  // namespace

Transformer2D::Projection::Projection(bool is_linear, int64_t in, int64_t out, Init init) {
  if (is_linear)
    linear.emplace(in, out, init);
  else
    conv.emplace(in, out, Size2d{1, 1}, init);
}

Variable Transformer2D::Projection::forward(const Variable& x) const {
  return conv ? conv->forward(x) : permute(linear->forward(permute(x, {0, 2, 3, 1})), {0, 3, 1, 2});
}

Module& Transformer2D::Projection::module() {
  if (conv) return *conv;
  return *linear;
}

Transformer2D::Transformer2D(const Transformer2DOptions& options, Init init)
    : norm_(options.norm_num_groups, options.in_channels, {.eps = 1e-6}),
      proj_in_(options.use_linear_projection, options.in_channels, inner_features(options), init),
      blocks_(make_blocks(options, init)),
      proj_out_(options.use_linear_projection, inner_features(options), options.in_channels, init) {}

Variable Transformer2D::run_block(BasicTransformerBlock& block, const Variable& tokens,
                                  const BlockInputs& inputs) const {
  if (!inputs.checkpoint) return block.forward(tokens, inputs.context, inputs.dropout);
  const auto key = inputs.dropout;
  if (!inputs.context.defined())
    return checkpoint_module(
        block, [&block, key](const Variable& x) { return block.forward(x, {}, key); }, tokens);
  return checkpoint_module(
      block, [&block, key](const Variable& x, const Variable& context) { return block.forward(x, context, key); },
      tokens, inputs.context);
}

Variable Transformer2D::forward(const Variable& x, const BlockInputs& inputs) {
  const Variable h = permute(proj_in_.forward(norm_.forward(x)), {0, 2, 3, 1});
  const Shape picture = h.shape();  // [N, H, W, features]
  Variable tokens = reshape(h, {picture[0], picture[1] * picture[2], picture[3]});
  for (size_t i = 0; i < blocks_.size(); ++i)
    tokens = run_block(*blocks_[i], tokens, inputs.of("transformer_blocks." + std::to_string(i)));
  return add(proj_out_.forward(permute(reshape(tokens, picture), {0, 3, 1, 2})), x);
}

void Transformer2D::visit(ModuleVisitor& visitor) {
  visitor("norm", norm_);
  visitor("proj_in", proj_in_.module());
  visitor("transformer_blocks", blocks_);
  visitor("proj_out", proj_out_.module());
}

}  // namespace plumb
