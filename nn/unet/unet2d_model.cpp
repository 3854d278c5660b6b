#include "nn/unet/unet2d_model.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/layers/timestep_embedding.h"
#include "nn/unet/unet2d_levels.h"

namespace plumb {
namespace {

constexpr Conv2dLayerOptions kSame{.conv = {.padding = {1, 1}}};

const UNet2DOptions& checked(const UNet2DOptions& options) {
  options.check();
  return options;
}

}  // namespace

UNet2DModel::UNet2DModel(const UNet2DOptions& options, Init init)
    : options_(checked(options)),
      conv_in_(options.in_channels, options.block_out_channels[0], {3, 3}, init, kSame),
      time_embedding_(options.block_out_channels[0], options.time_features(), init),
      class_table_(
          options.class_embed_type.empty() && options.num_class_embeds
              ? std::optional<Embedding>(std::in_place, *options.num_class_embeds, options.time_features(), init)
              : std::nullopt),
      class_mlp_(
          options.class_embed_type == "timestep"
              ? std::optional<TimestepMlp>(std::in_place, options.block_out_channels[0], options.time_features(), init)
              : std::nullopt),
      down_blocks_([&] {
        ModuleList<UNetDownBlock> blocks;
        for (size_t i = 0; i < options.block_out_channels.size(); ++i)
          blocks.push_back(std::make_unique<UNetDownBlock>(unet2d_down_level(options, i, init)));
        return blocks;
      }()),
      mid_block_(options.mid_block_type.empty()
                     ? std::nullopt
                     : std::optional<UNetMidBlock>(std::in_place, unet2d_mid_level(options, init))),
      up_blocks_([&] {
        ModuleList<UNetUpBlock> blocks;
        for (size_t i = 0; i < options.block_out_channels.size(); ++i)
          blocks.push_back(std::make_unique<UNetUpBlock>(unet2d_up_level(options, i, init)));
        return blocks;
      }()),
      conv_norm_out_(options.norm_num_groups, options.block_out_channels[0], {.eps = options.norm_eps, .silu = true}),
      conv_out_(options.block_out_channels[0], options.out_channels, {3, 3}, init, kSame) {}

void UNet2DModel::check(const Variable& x, const Tensor& t, const UNet2DInputs& inputs) const {
  const int64_t multiple = int64_t(1) << (options_.block_out_channels.size() - 1);
  require<ShapeError>(
      x.rank() == 4 && x.size(1) == options_.in_channels && x.size(2) % multiple == 0 && x.size(3) % multiple == 0,
      "UNet2DModel: x must be [N, {}, H, W] with H and W multiples of {}; {}", options_.in_channels, multiple,
      x.value());
  require<ShapeError>(t.rank() == 1 && t.size(0) == x.size(0),
                      "UNet2DModel: t must have one timestep for each picture; t {}, x {}", t, x.value());
  const bool given = inputs.class_labels.defined();
  require<ValueError>(given == options_.has_classes(), "UNet2DModel: class labels {}",
                      given ? "were given to a model without classes; set num_class_embeds or leave them out"
                            : "are missing, and this model has classes");
  require<ShapeError>(!given || inputs.class_labels.shape() == Shape{x.size(0)},
                      "UNet2DModel: there must be one class label for each picture; labels {}, x {}",
                      inputs.class_labels, x.value());
}

Variable UNet2DModel::time_features(const Tensor& t, const Tensor& labels, DType dtype) const {
  auto sinusoids = [&](const Tensor& times) {
    return Variable(
        timestep_embedding(times, options_.block_out_channels[0],
                           {.flip_sin_to_cos = options_.flip_sin_to_cos, .downscale_freq_shift = options_.freq_shift})
            .to(dtype));
  };
  const Variable features = time_embedding_.forward(sinusoids(t));
  if (class_table_) return add(features, class_table_->forward(labels));
  return class_mlp_ ? add(features, class_mlp_->forward(sinusoids(labels.to(t.dtype())))) : features;
}

Variable UNet2DModel::forward(const Variable& x, const Tensor& t, const UNet2DInputs& inputs) {
  check(x, t, inputs);
  const BlockInputs given{.temb = time_features(t, inputs.class_labels, x.dtype()),
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
  return contiguous(conv_out_.forward_normalised(h, conv_norm_out_));
}

void UNet2DModel::visit(ModuleVisitor& visitor) {
  visitor("conv_in", conv_in_);
  visitor("time_embedding", time_embedding_);
  if (class_table_) visitor("class_embedding", *class_table_);
  if (class_mlp_) visitor("class_embedding", *class_mlp_);
  visitor("down_blocks", down_blocks_);
  visitor("up_blocks", up_blocks_);
  if (mid_block_) visitor("mid_block", *mid_block_);
  visitor("conv_norm_out", conv_norm_out_);
  visitor("conv_out", conv_out_);
}

}  // namespace plumb
