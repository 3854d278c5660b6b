#include "nn/clip/clip_text_model.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/index.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/ops/reduce/extremum.h"
#include "engine/require.h"

namespace plumb {
namespace {

const ClipTextOptions& checked(const ClipTextOptions& options) {
  options.check();
  return options;
}

ClipEncoderOptions encoder_options(const ClipTextOptions& o) {
  return {.features = o.hidden_size,
          .hidden_features = o.intermediate_size,
          .layers = o.num_hidden_layers,
          .heads = o.num_attention_heads,
          .act = o.hidden_act,
          .eps = o.layer_norm_eps,
          .causal = true};
}

std::optional<Linear> projection(const ClipTextOptions& o, Init init) {
  if (!o.with_projection) return {};
  return std::optional<Linear>(std::in_place, o.hidden_size, o.projection_dim, init, LinearOptions{.bias = false});
}

}  // namespace

ClipTextModel::ClipTextModel(const ClipTextOptions& options, Init init)
    : options_(checked(options)),
      token_embedding_(options.vocab_size, options.hidden_size, init),
      position_embedding_(options.max_position_embeddings, options.hidden_size, init),
      encoder_(encoder_options(options), init),
      final_layer_norm_({options.hidden_size}, {.eps = options.layer_norm_eps}),
      text_projection_(projection(options, init)) {}

/// Where each text ends, i64 [N].
Tensor ClipTextModel::ends_of(const Tensor& ids) const {
  if (*options_.eos_token_id == 2) return argmax(ids, -1);
  return argmax(eq(ids, double(*options_.eos_token_id)).to(DType::i64), -1);
}

ClipTextOutput ClipTextModel::forward(const Tensor& ids) {
  require<DTypeError>(ids.dtype() == DType::i64, "CLIPTextModel: ids must be i64; {}", ids);
  require<ShapeError>(ids.rank() == 2 && ids.size(1) >= 1 && ids.size(1) <= options_.max_position_embeddings,
                      "CLIPTextModel: ids must be [N, T] with T from 1 to max_position_embeddings ({}); {}",
                      options_.max_position_embeddings, ids);
  const int64_t count = ids.size(0), tokens = ids.size(1);
  const Variable positions = slice(position_embedding_.weight().variable(), 0, 0, tokens);
  ClipTextOutput out;
  out.hidden_states = encoder_.forward(add(token_embedding_.forward(ids), positions));
  out.last_hidden_state = final_layer_norm_.forward(out.hidden_states.back());
  const Tensor rows = arange(0, double(count * tokens), double(tokens)).to(ids.device());
  out.pooled = index_select(flatten(out.last_hidden_state, 0, 1), 0, add(ends_of(ids), rows));
  if (text_projection_) out.text_embeds = text_projection_->forward(out.pooled);
  return out;
}

void ClipTextModel::visit(ModuleVisitor& visitor) {
  visitor("text_model.embeddings.token_embedding", token_embedding_);
  visitor("text_model.embeddings.position_embedding", position_embedding_);
  visitor("text_model.encoder", encoder_);
  visitor("text_model.final_layer_norm", final_layer_norm_);
  if (text_projection_) visitor("text_projection", *text_projection_);
}

}  // namespace plumb
