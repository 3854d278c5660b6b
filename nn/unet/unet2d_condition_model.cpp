#include "nn/unet/unet2d_condition_model.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "nn/unet/unet2d_condition_levels.h"

namespace plumb {
namespace {

using Options = UNet2DConditionOptions;

const Options& checked(const Options& options) {
  options.check();
  return options;
}

Conv2d same_size(int64_t in, int64_t out, int64_t kernel, Init init) {
  return Conv2d(in, out, {kernel, kernel}, init, {.conv = {.padding = {kernel / 2, kernel / 2}}});
}

std::optional<ClassEmbedding> class_embedding(const Options& options, Init init) {
  if (!options.has_classes()) return {};
  return std::optional<ClassEmbedding>(std::in_place, options, init);
}

std::optional<TimestepMlp> add_embedding(const Options& options, Init init) {
  if (!options.has_text_time()) return {};
  return std::optional<TimestepMlp>(std::in_place, *options.projection_class_embeddings_input_dim,
                                    options.time_features(), init);
}

template <class Block>
ModuleList<Block> blocks(const Options& options, UNetLevel (*make)(const Options&, size_t, Init), Init init) {
  ModuleList<Block> list;
  for (size_t i = 0; i < options.levels(); ++i) list.push_back(std::make_unique<Block>(make(options, i, init)));
  return list;
}

bool ends_with_silu(const Options& options) { return activation_kind(options.act_fn) == ActivationKind::silu; }

}  // namespace

// The order of the members is that in which diffusers draws their first values.
UNet2DConditionModel::UNet2DConditionModel(const UNet2DConditionOptions& options, Init init)
    : options_(checked(options)),
      context_features_(options.context_features()),
      conv_in_(same_size(options.in_channels, options.block_out_channels[0], options.conv_in_kernel, init)),
      time_embedding_(options.block_out_channels[0], options.time_features(), init, activation_kind(options.act_fn)),
      class_embedding_(class_embedding(options, init)),
      add_embedding_(add_embedding(options, init)),
      down_blocks_(blocks<UNetDownBlock>(options, unet2d_condition_down_level, init)),
      mid_block_(options.mid_block_type.empty()
                     ? std::nullopt
                     : std::optional<UNetMidBlock>(std::in_place, unet2d_condition_mid_level(options, init))),
      up_blocks_(blocks<UNetUpBlock>(options, unet2d_condition_up_level, init)),
      conv_norm_out_(options.norm_num_groups, options.block_out_channels[0],
                     {.eps = options.norm_eps, .silu = ends_with_silu(options)}),
      conv_out_(same_size(options.block_out_channels[0], options.out_channels, options.conv_out_kernel, init)) {}

void UNet2DConditionModel::check_context(const UNet2DConditionInputs& inputs, int64_t pictures) const {
  const Variable& context = inputs.encoder_hidden_states;
  require<ValueError>(context.defined() == (context_features_ > 0), "UNet2DConditionModel: encoder_hidden_states {}",
                      context.defined() ? "were given to a model that looks at no text"
                                        : "are missing, and this model looks at a text");
  require<ShapeError>(!context.defined() || (context.rank() == 3 && context.size(0) == pictures &&
                                             context.size(1) >= 1 && context.size(2) == context_features_),
                      "UNet2DConditionModel: encoder_hidden_states must be [{}, tokens, {}]; {}", pictures,
                      context_features_, context.value());
}

void UNet2DConditionModel::check_text_time(const UNet2DConditionInputs& inputs, int64_t pictures) const {
  const bool given = inputs.text_embeds.defined() && inputs.time_ids.defined();
  const bool wanted = options_.has_text_time();
  require<ValueError>(wanted ? given : !inputs.text_embeds.defined() && !inputs.time_ids.defined(),
                      "UNet2DConditionModel: text_embeds {} time_ids {}", wanted ? "and" : "or",
                      wanted ? "are missing, and this model has addition_embed_type text_time"
                             : "were given to a model without addition_embed_type");
  if (!wanted) return;
  const Tensor &text = inputs.text_embeds.value(), &ids = inputs.time_ids;
  const int64_t features = *options_.addition_time_embed_dim, all = *options_.projection_class_embeddings_input_dim;
  require<ShapeError>(text.rank() == 2 && ids.rank() == 2 && text.size(0) == pictures && ids.size(0) == pictures &&
                          text.size(1) + ids.size(1) * features == all,
                      "UNet2DConditionModel: text_embeds [{}, F] and time_ids [{}, K] must have F + {} K = {}; {} and "
                      "{}",
                      pictures, pictures, features, all, text, ids);
}

void UNet2DConditionModel::check(const Variable& x, const Tensor& t, const UNet2DConditionInputs& inputs) const {
  require<ShapeError>(x.rank() == 4 && x.size(1) == options_.in_channels && x.size(2) >= 1 && x.size(3) >= 1,
                      "UNet2DConditionModel: x must be [N, {}, H, W]; {}", options_.in_channels, x.value());
  require<ShapeError>(t.rank() == 1 && t.size(0) == x.size(0),
                      "UNet2DConditionModel: t must have one timestep for each picture; t {}, x {}", t, x.value());
  check_context(inputs, x.size(0));
  check_text_time(inputs, x.size(0));
  const bool labels = inputs.class_labels.defined();
  require<ValueError>(labels == options_.has_classes(), "UNet2DConditionModel: class labels {}",
                      labels ? "were given to a model without classes; set num_class_embeds or leave them out"
                             : "are missing, and this model has classes");
  if (labels) class_embedding_->check(inputs.class_labels, x.size(0));
}

/// Of the pooled text beside the sinusoids of each number.
Variable UNet2DConditionModel::text_time_features(const UNet2DConditionInputs& inputs, DType dtype) const {
  const Tensor& ids = inputs.time_ids;
  const Variable numbers =
      unet2d_condition_sinusoids(options_, reshape(ids, {ids.numel()}), *options_.addition_time_embed_dim, dtype);
  const Variable beside = reshape(numbers, {ids.size(0), ids.size(1) * *options_.addition_time_embed_dim});
  return add_embedding_->forward(cat({to(inputs.text_embeds, dtype), beside}, 1));
}

Variable UNet2DConditionModel::time_features(const Tensor& t, const UNet2DConditionInputs& inputs, DType dtype) const {
  Variable features =
      time_embedding_.forward(unet2d_condition_sinusoids(options_, t, options_.block_out_channels[0], dtype));
  if (class_embedding_) {
    const Variable of_class = class_embedding_->forward(inputs.class_labels, t, dtype);
    features = options_.class_embeddings_concat ? cat({features, of_class}, 1) : add(features, of_class);
  }
  return add_embedding_ ? add(features, text_time_features(inputs, dtype)) : features;
}

Variable UNet2DConditionModel::way_out(const Variable& h) const {
  if (ends_with_silu(options_)) return conv_out_.forward_normalised(h, conv_norm_out_);
  return conv_out_.forward(activate(activation_kind(options_.act_fn), conv_norm_out_.forward(h)));
}

Variable UNet2DConditionModel::forward(const Variable& x, const Tensor& t, const UNet2DConditionInputs& inputs) {
  check(x, t, inputs);
  const BlockInputs given{.temb = time_features(t, inputs, x.dtype()),
                          .context = inputs.encoder_hidden_states,
                          .dropout = inputs.dropout,
                          .checkpoint = checkpointing_};
  const Variable centred = options_.center_input_sample ? sub(mul(x, 2), 1) : x;
  // One channel counts as contiguous and as channels-last, and conv2d then takes it for contiguous: so once more.
  Variable h = to_channels_last(conv_in_.forward(to_channels_last(centred)));
  std::vector<Variable> skips{h};
  for (size_t i = 0; i < down_blocks_.size(); ++i)
    h = down_blocks_[i]->forward(h, given.of("down_blocks." + std::to_string(i)), skips);
  if (mid_block_) h = mid_block_->forward(h, given.of("mid_block"));
  for (size_t i = 0; i < up_blocks_.size(); ++i)
    h = up_blocks_[i]->forward(h, given.of("up_blocks." + std::to_string(i)), skips);
  return contiguous(way_out(h));
}

void UNet2DConditionModel::visit(ModuleVisitor& visitor) {
  visitor("conv_in", conv_in_);
  visitor("time_embedding", time_embedding_);
  if (class_embedding_) visitor("class_embedding", *class_embedding_);
  if (add_embedding_) visitor("add_embedding", *add_embedding_);
  visitor("down_blocks", down_blocks_);
  visitor("up_blocks", up_blocks_);
  if (mid_block_) visitor("mid_block", *mid_block_);
  visitor("conv_norm_out", conv_norm_out_);
  visitor("conv_out", conv_out_);
}

}  // namespace plumb
