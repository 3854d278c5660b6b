#include "nn/unet/picture_attention.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/require.h"

namespace plumb {
namespace {

const PictureAttentionOptions& checked(const PictureAttentionOptions& options) {
  require<ValueError>(options.head_features >= 1 && options.channels >= options.head_features,
                      "attention: attention_head_dim must be from 1 to the channels ({}, {} channels)",
                      options.head_features, options.channels);
  return options;
}

}  // namespace

PictureAttention::PictureAttention(const PictureAttentionOptions& options, Init init)
    : rescale_(checked(options).rescale_output_factor),
      attention_({.query_features = options.channels,
                  .heads = options.channels / options.head_features,
                  .head_features = options.head_features,
                  .bias = true},
                 init) {
  if (options.groups > 0) norm_.emplace(options.groups, options.channels, GroupNormLayerOptions{.eps = options.eps});
}

Variable PictureAttention::forward(const Variable& x, const BlockInputs&) {
  const Shape& shape = x.shape();
  const Variable h = norm_ ? norm_->forward(x) : x;
  const Variable tokens = reshape(permute(h, {0, 2, 3, 1}), {shape[0], shape[2] * shape[3], shape[1]});
  const Variable seen = reshape(attention_.forward(tokens), {shape[0], shape[2], shape[3], shape[1]});
  const Variable y = add(x, permute(seen, {0, 3, 1, 2}));
  return rescale_ == 1 ? y : div(y, rescale_);
}

void PictureAttention::visit(ModuleVisitor& visitor) {
  if (norm_) visitor("group_norm", *norm_);
  attention_.visit(visitor);
}

}  // namespace plumb
