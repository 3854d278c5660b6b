#pragma once

#include "diffusion/picture_denoiser.h"
#include "nn/unet/unet2d_model.h"

namespace plumb {

/// A UNet2DModel as a denoiser of pictures. condition.labels: i64 [N], where the model has classes.
/// (Twice as many channels out, with a learned variance, are refused.)
class UNetDenoiser final : public PictureDenoiser {
 public:
  /// Throws ValueError unless in_channels and out_channels are equal.
  UNetDenoiser(const UNet2DOptions& options, Init init);
  explicit UNetDenoiser(const UNetDenoiser&) = default;

  UNet2DModel& unet() { return unet_; }

  int64_t in_channels() const override { return unet_.options().in_channels; }
  Size2d sample_size() const override { return unet_.options().sample_size.value_or(Size2d{}); }
  int64_t multiple_of() const override { return int64_t(1) << (unet_.options().block_out_channels.size() - 1); }
  int64_t classes() const override;
  int64_t context_features() const override { return 0; }
  Json config() const override;
  DType dtype() override { return unet_.dtype(); }
  void set_gradient_checkpointing(bool on) override { unet_.set_gradient_checkpointing(on); }

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override { unet_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<UNetDenoiser>(*this); }

 private:
  UNet2DModel unet_;
};

}  // namespace plumb
