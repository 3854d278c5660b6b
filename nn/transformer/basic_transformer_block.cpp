#include "nn/transformer/basic_transformer_block.h"

#include <string_view>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

AttentionLayerOptions attention_options(const BasicTransformerBlockOptions& o, int64_t context_features) {
  return {.query_features = o.features,
          .context_features = context_features,
          .heads = o.heads,
          .head_features = o.head_features,
          .bias = o.attention_bias};
}

std::optional<AttentionLayer> cross_attention(const BasicTransformerBlockOptions& o, Init init) {
  if (o.context_features == 0) return {};
  return std::optional<AttentionLayer>(std::in_place, attention_options(o, o.context_features), init);
}

}  // namespace

BasicTransformerBlock::BasicTransformerBlock(const BasicTransformerBlockOptions& options, Init init)
    : dropout_(options.dropout),
      only_cross_attention_(options.only_cross_attention && options.context_features > 0),
      norm1_(Shape{options.features}),
      attn1_(attention_options(options, options.only_cross_attention ? options.context_features : 0), init),
      attn2_(cross_attention(options, init)),
      norm3_(Shape{options.features}),
      ff_(options.features, init, 4, options.dropout) {
  if (attn2_) norm2_.emplace(Shape{options.features});
}

Variable BasicTransformerBlock::forward(const Variable& x, const Variable& context,
                                        const std::optional<RandomKey>& key) const {
  require<ValueError>(context.defined() == attn2_.has_value(), "transformer block: {}",
                      attn2_ ? "cross attention needs the tokens of a context"
                             : "a context was given to a block without cross attention");
  auto dropped = [&](const Variable& y, std::string_view part) {
    return key && dropout_ > 0 ? dropout(y, dropout_, key->fork(part)) : y;
  };
  const Variable normal = norm1_.forward(x);
  Variable h = add(dropped(attn1_.forward(normal, only_cross_attention_ ? context : normal), "attn1"), x);
  if (attn2_) h = add(dropped(attn2_->forward(norm2_->forward(h), context), "attn2"), h);
  return add(ff_.forward(norm3_.forward(h), key ? std::optional(key->fork("ff")) : std::nullopt), h);
}

void BasicTransformerBlock::visit(ModuleVisitor& visitor) {
  visitor("norm1", norm1_);
  visitor("attn1", attn1_);
  if (norm2_) visitor("norm2", *norm2_);
  if (attn2_) visitor("attn2", *attn2_);
  visitor("norm3", norm3_);
  visitor("ff", ff_);
}

}  // namespace plumb
