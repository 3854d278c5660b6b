#pragma once

#include "nn/layers/conv2d.h"
#include "nn/unet/block_inputs.h"
#include "nn/unet/resnet_block2d.h"

namespace plumb {

/// The end of a level of a UNet: the picture at half or at double its size.
/// x: [N, C, H, W] channels-last, and so the result.
class Resampler : public Module {
 public:
  virtual Variable forward(const Variable& x, const BlockInputs& inputs) = 0;
};

/// diffusers' Downsample2D: a 3x3 convolution with stride 2; with padding 0 zeros are added at the right and bottom
/// alone, as the autoencoder does. y: [N, C, floor((H - 1) / 2) + 1, …] with padding 1, [N, C, floor(H / 2), …] with 0.
class Downsample2D final : public Resampler {
 public:
  /// Throws ValueError unless padding is 0 or 1.
  Downsample2D(int64_t channels, int64_t padding, Init init);
  explicit Downsample2D(const Downsample2D&) = default;

  Variable forward(const Variable& x, const BlockInputs& inputs) override;
  void visit(ModuleVisitor& visitor) override { visitor("conv", conv_); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<Downsample2D>(*this); }

 private:
  bool pads_behind_;
  Conv2d conv_;
};

/// diffusers' Upsample2D: each pixel becomes 2x2, then a 3x3 convolution. y: [N, C, 2H, 2W], or of the size that the
/// inputs ask for, each pixel from the nearest.
class Upsample2D final : public Resampler {
 public:
  Upsample2D(int64_t channels, Init init);
  explicit Upsample2D(const Upsample2D&) = default;

  Variable forward(const Variable& x, const BlockInputs& inputs) override;
  void visit(ModuleVisitor& visitor) override { visitor("conv", conv_); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<Upsample2D>(*this); }

 private:
  Conv2d conv_;
};

/// A residual block that changes the size (`downsample_type` and `upsample_type` "resnet"); its names are the block's.
class ResnetResampler final : public Resampler {
 public:
  ResnetResampler(const ResnetBlock2DOptions& options, Init init) : block_(options, init) {}
  explicit ResnetResampler(const ResnetResampler&) = default;

  Variable forward(const Variable& x, const BlockInputs& inputs) override { return block_.forward(x, inputs); }
  void visit(ModuleVisitor& visitor) override { block_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<ResnetResampler>(*this); }

 private:
  ResnetBlock2D block_;
};

}  // namespace plumb
