#pragma once

#include "diffusion/picture_denoiser.h"
#include "nn/unet/unet2d_condition_model.h"

namespace plumb {

/// A UNet2DConditionModel as a denoiser of pictures. Of the condition it takes labels as class_labels, context as
/// encoder_hidden_states, pooled as text_embeds and time_ids.
class UNetConditionDenoiser final : public PictureDenoiser {
 public:
  /// Throws ValueError unless in_channels and out_channels are equal.
  UNetConditionDenoiser(const UNet2DConditionOptions& options, Init init);
  explicit UNetConditionDenoiser(const UNetConditionDenoiser&) = default;

  UNet2DConditionModel& unet() { return unet_; }

  int64_t in_channels() const override { return unet_.options().in_channels; }
  Size2d sample_size() const override { return unet_.options().sample_size.value_or(Size2d{}); }
  int64_t multiple_of() const override { return 1; }
  int64_t classes() const override;
  int64_t context_features() const override { return unet_.options().context_features(); }
  Json config() const override;
  DType dtype() override { return unet_.dtype(); }
  void set_gradient_checkpointing(bool on) override { unet_.set_gradient_checkpointing(on); }

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  Variable predict_in_context(const Variable& x, const Tensor& t, const Condition& condition,
                              const Variable& context) override;
  void visit(ModuleVisitor& visitor) override { unet_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<UNetConditionDenoiser>(*this); }

 private:
  UNet2DConditionModel unet_;
};

}  // namespace plumb
