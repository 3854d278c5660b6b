#pragma once

#include "diffusion/denoiser.h"
#include "nn/unet/unet2d_model.h"

namespace plumb {

/// A UNet2DModel as a denoiser of pictures; its weights keep the model's names.
/// x: [N, in_channels, H, W], out_channels the same (twice as many with a learned variance are refused).
/// condition.labels: i64 [N], where the model has classes.
/// x is rounded to the weights' type, and the prediction brought back to x's.
class UNetDenoiser final : public Denoiser {
 public:
  /// Throws ValueError unless in_channels and out_channels are equal.
  UNetDenoiser(const UNet2DOptions& options, Init init);
  explicit UNetDenoiser(const UNetDenoiser&) = default;

  UNet2DModel& unet() { return unet_; }
  /// From now on predict() drops activations by this key (the options' dropout); none switches it off.
  void set_dropout(std::optional<RandomKey> key) { dropout_ = key; }

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override { unet_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<UNetDenoiser>(*this); }

 private:
  UNet2DModel unet_;
  std::optional<RandomKey> dropout_;
};

}  // namespace plumb
