#include "nn/clip/clip_vision_model.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

const ClipVisionOptions& checked(const ClipVisionOptions& options) {
  options.check();
  return options;
}

ClipEncoderOptions encoder_options(const ClipVisionOptions& o) {
  return {.features = o.hidden_size,
          .hidden_features = o.intermediate_size,
          .layers = o.num_hidden_layers,
          .heads = o.num_attention_heads,
          .act = o.hidden_act,
          .eps = o.layer_norm_eps};
}

Parameter class_token(const ClipVisionOptions& o, Init init) {
  Tensor token = init.allocate({o.hidden_size});
  init.normal(token, 0, 1);
  return Parameter(std::move(token));
}

Conv2dLayerOptions patches(const ClipVisionOptions& o) {
  return {.conv = {.stride = {o.patch_size, o.patch_size}}, .bias = false};
}

int64_t tokens(const ClipVisionOptions& o) {
  const int64_t side = o.image_size / o.patch_size;
  return 1 + side * side;
}

std::optional<Linear> projection(const ClipVisionOptions& o, Init init) {
  if (!o.with_projection) return {};
  return std::optional<Linear>(std::in_place, o.hidden_size, o.projection_dim, init, LinearOptions{.bias = false});
}

}  // namespace

ClipVisionModel::ClipVisionModel(const ClipVisionOptions& o, Init init)
    : options_(checked(o)),
      class_embedding_(class_token(o, init)),
      patch_embedding_(o.num_channels, o.hidden_size, {o.patch_size, o.patch_size}, init, patches(o)),
      position_embedding_(tokens(o), o.hidden_size, init),
      pre_layrnorm_({o.hidden_size}, {.eps = o.layer_norm_eps}),
      encoder_(encoder_options(o), init),
      post_layernorm_({o.hidden_size}, {.eps = o.layer_norm_eps}),
      visual_projection_(projection(o, init)) {}

ClipVisionOutput ClipVisionModel::forward(const Variable& pixels) {
  const int64_t size = options_.image_size, features = options_.hidden_size;
  require<ShapeError>(
      pixels.rank() == 4 && pixels.size(1) == options_.num_channels && pixels.size(2) == size && pixels.size(3) == size,
      "CLIPVisionModel: pixels must be [N, {}, {}, {}]; {}", options_.num_channels, size, size, pixels.value());
  const int64_t count = pixels.size(0);
  const Variable patches = permute(flatten(patch_embedding_.forward(pixels), 2), {0, 2, 1});
  const Variable token = expand(reshape(class_embedding_.variable(), {1, 1, features}), {count, 1, features});
  const Variable embedded = add(cat({token, patches}, 1), position_embedding_.weight().variable());
  ClipVisionOutput out;
  out.hidden_states = encoder_.forward(pre_layrnorm_.forward(embedded));
  out.last_hidden_state = out.hidden_states.back();
  out.pooled = post_layernorm_.forward(select(out.last_hidden_state, 1, 0));
  if (visual_projection_) out.image_embeds = visual_projection_->forward(out.pooled);
  return out;
}

void ClipVisionModel::visit(ModuleVisitor& visitor) {
  visitor("vision_model.embeddings.class_embedding", class_embedding_);
  visitor("vision_model.embeddings.patch_embedding", patch_embedding_);
  visitor("vision_model.embeddings.position_embedding", position_embedding_);
  visitor("vision_model.pre_layrnorm", pre_layrnorm_);
  visitor("vision_model.encoder", encoder_);
  visitor("vision_model.post_layernorm", post_layernorm_);
  if (visual_projection_) visitor("visual_projection", *visual_projection_);
}

}  // namespace plumb
