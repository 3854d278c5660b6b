#include "diffusion/unet_condition_denoiser.h"

#include "autograd/ops.h"
#include "engine/require.h"
#include "nn/unet/unet2d_condition_config.h"

namespace plumb {
namespace {

/// Refused before a network is made, which may be large.
const UNet2DConditionOptions& same_channels(const UNet2DConditionOptions& options) {
  require<ValueError>(options.in_channels == options.out_channels,
                      "UNet denoiser: in_channels and out_channels must be equal ({}, {})", options.in_channels,
                      options.out_channels);
  return options;
}

}  // namespace

UNetConditionDenoiser::UNetConditionDenoiser(const UNet2DConditionOptions& options, Init init)
    : unet_(same_channels(options), init) {}

int64_t UNetConditionDenoiser::classes() const {
  const UNet2DConditionOptions& options = unet_.options();
  return options.class_embed_type.empty() ? options.num_class_embeds.value_or(0) : 0;
}

Json UNetConditionDenoiser::config() const { return config_of(unet_.options()); }

Variable UNetConditionDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  return predict_in_context(x, t, condition, condition.context.defined() ? Variable(condition.context) : Variable());
}

Variable UNetConditionDenoiser::predict_in_context(const Variable& x, const Tensor& t, const Condition& condition,
                                                   const Variable& context) {
  const DType dtype = unet_.dtype();
  UNet2DConditionInputs inputs{.time_ids = condition.time_ids, .class_labels = condition.labels, .dropout = dropout_};
  if (context.defined()) inputs.encoder_hidden_states = plumb::to(context, dtype);
  if (condition.pooled.defined()) inputs.text_embeds = condition.pooled.to(dtype);
  return to(unet_.forward(to(x, dtype), t, inputs), x.dtype());
}

}  // namespace plumb
