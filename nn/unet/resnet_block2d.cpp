#include "nn/unet/resnet_block2d.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/random.h"
#include "autograd/ops/resize.h"
#include "engine/require.h"
#include "nn/checkpoint_module.h"

namespace plumb {
namespace {

constexpr Conv2dLayerOptions kSame{.conv = {.padding = {1, 1}}};

ResnetBlock2DOptions checked(const ResnetBlock2DOptions& options) {
  require<ValueError>(options.dropout >= 0 && options.dropout <= 1, "resnet block: dropout must be in [0, 1] ({})",
                      options.dropout);
  return options;
}

/// SiLU goes into the normalisation's own pass, unless something has to happen in between.
GroupNorm norm(const ResnetBlock2DOptions& options, int64_t channels, bool alone) {
  return GroupNorm(options.groups, channels,
                   {.eps = options.eps, .silu = options.act == ActivationKind::silu && !alone});
}

std::optional<Linear> projection(const ResnetBlock2DOptions& options, Init init) {
  if (options.temb_channels == 0) return {};
  const int64_t parts = options.time_scale_shift == TimeScaleShift::scale_shift ? 2 : 1;
  return std::optional<Linear>(std::in_place, options.temb_channels, parts * options.out_channels, init);
}

std::optional<Conv2d> shortcut(const ResnetBlock2DOptions& options, Init init) {
  if (options.in_channels == options.out_channels) return {};
  return std::optional<Conv2d>(std::in_place, options.in_channels, options.out_channels, Size2d{1, 1}, init);
}

Variable resampled(const Variable& x, Resampling how) {
  if (how == Resampling::down) return avg_pool2d(x, {.kernel = {2, 2}, .stride = {2, 2}, .padding = {0, 0}});
  return how == Resampling::up ? to_channels_last(upsample_nearest(x, 2)) : x;
}

}  // namespace

ResnetBlock2D::ResnetBlock2D(const ResnetBlock2DOptions& options, Init init)
    : options_(checked(options)),
      norm1_(norm(options, options.in_channels, false)),
      conv1_(options.in_channels, options.out_channels, {3, 3}, init, kSame),
      time_emb_proj_(projection(options, init)),
      norm2_(norm(options, options.out_channels, options.time_scale_shift == TimeScaleShift::scale_shift)),
      conv2_(options.out_channels, options.out_channels, {3, 3}, init, kSame),
      conv_shortcut_(shortcut(options, init)) {}

Variable ResnetBlock2D::forward(const Variable& x, const BlockInputs& inputs) {
  if (!inputs.checkpoint) return run(x, inputs.temb, inputs.dropout);
  if (!inputs.temb.defined())
    return checkpoint_module(
        *this, [this, key = inputs.dropout](const Variable& in) { return run(in, {}, key); }, x);
  return checkpoint_module(
      *this, [this, key = inputs.dropout](const Variable& in, const Variable& temb) { return run(in, temb, key); }, x,
      inputs.temb);
}

/// conv(dropout(act(norm(h)))).
Variable ResnetBlock2D::activated(const Variable& h, const GroupNorm& norm, const Conv2d& conv,
                                  const std::optional<RandomKey>& key) const {
  const bool drops = key && options_.dropout > 0;
  if (options_.act == ActivationKind::silu && !drops) return conv.forward_normalised(h, norm);
  const Variable y = norm.forward(h);
  return conv.forward(dropped(options_.act == ActivationKind::silu ? y : activate(options_.act, y), key));
}

/// In memory order, so that the picture stays channels-last.
Variable ResnetBlock2D::dropped(const Variable& h, const std::optional<RandomKey>& key) const {
  if (!key || options_.dropout == 0) return h;
  return permute(dropout(permute(h, {0, 2, 3, 1}), options_.dropout, *key), {0, 3, 1, 2});
}

/// time_emb_proj's share for each channel, [N, channels, 1, 1].
Variable ResnetBlock2D::time_share(const Variable& temb) const {
  require<ValueError>(temb.defined(), "resnet block: needs the features of the timesteps");
  const Variable flat = time_emb_proj_->forward(activate(options_.act, temb));
  return reshape(flat, {flat.size(0), flat.size(1), 1, 1});
}

Variable ResnetBlock2D::first_half(const Variable& x) const {
  if (options_.resampling == Resampling::none) return activated(x, norm1_, conv1_, {});
  Variable h = norm1_.forward(x);
  if (options_.act != ActivationKind::silu) h = activate(options_.act, h);
  return conv1_.forward(resampled(h, options_.resampling));
}

Variable ResnetBlock2D::second_half(const Variable& h, const Variable& temb,
                                    const std::optional<RandomKey>& key) const {
  if (!time_emb_proj_) return activated(h, norm2_, conv2_, key);
  const Variable p = time_share(temb);
  if (options_.time_scale_shift == TimeScaleShift::default_) return activated(add(h, p), norm2_, conv2_, key);
  const int64_t channels = options_.out_channels;
  const Variable scale = slice(p, 1, 0, channels), shift = slice(p, 1, channels);
  return conv2_.forward(dropped(activate(options_.act, norm2_.forward(h) * (scale + 1) + shift), key));
}

Variable ResnetBlock2D::run(const Variable& x, const Variable& temb, const std::optional<RandomKey>& key) const {
  const Variable h = second_half(first_half(x), temb, key);
  const Variable straight = resampled(x, options_.resampling);
  const Variable y = add(conv_shortcut_ ? conv_shortcut_->forward(straight) : straight, h);
  return options_.output_scale_factor == 1 ? y : div(y, options_.output_scale_factor);
}

void ResnetBlock2D::visit(ModuleVisitor& visitor) {
  visitor("norm1", norm1_);
  visitor("conv1", conv1_);
  if (time_emb_proj_) visitor("time_emb_proj", *time_emb_proj_);
  visitor("norm2", norm2_);
  visitor("conv2", conv2_);
  if (conv_shortcut_) visitor("conv_shortcut", *conv_shortcut_);
}

}  // namespace plumb
