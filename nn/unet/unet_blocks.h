#pragma once

#include <vector>

#include "nn/unet/resample2d.h"

// The levels of a UNet, diffusers' DownBlock2D, UpBlock2D, UNetMidBlock2D and their kin with attention: lists of
// residual blocks, each followed by a spatial layer where the level has them, then a change of size. Every picture is
// channels-last.

namespace plumb {

/// What a level is built from. Empty lists and null pointers leave a part out.
struct UNetLevel {
  ModuleList<ResnetBlock2D> resnets;
  ModuleList<SpatialLayer> attentions;  ///< none, or one behind each residual block (in the middle: between two)
  ModuleList<Resampler> resamplers;     ///< none or one
};

/// One level on the way down.
class UNetDownBlock final : public Layer<UNetDownBlock> {
 public:
  explicit UNetDownBlock(UNetLevel level) : level_(std::move(level)) {}
  explicit UNetDownBlock(const UNetDownBlock&) = default;

  /// Appends to `skips` what the way up will want: each residual block's result, and the picture made smaller.
  Variable forward(Variable x, const BlockInputs& inputs, std::vector<Variable>& skips);
  void visit(ModuleVisitor& visitor) override;

 private:
  UNetLevel level_;
};

/// One level on the way up.
class UNetUpBlock final : public Layer<UNetUpBlock> {
 public:
  explicit UNetUpBlock(UNetLevel level) : level_(std::move(level)) {}
  explicit UNetUpBlock(const UNetUpBlock&) = default;

  /// Takes from the end of `skips` one picture for each residual block, and joins its channels to x's.
  /// What it makes larger gets the size of the next one.
  Variable forward(Variable x, const BlockInputs& inputs, std::vector<Variable>& skips);
  void visit(ModuleVisitor& visitor) override;

 private:
  UNetLevel level_;
};

/// The lowest level: a residual block, then attention and another residual block.
class UNetMidBlock final : public Layer<UNetMidBlock> {
 public:
  /// level: one residual block more than layers of attention, which may be null.
  explicit UNetMidBlock(UNetLevel level) : level_(std::move(level)) {}
  explicit UNetMidBlock(const UNetMidBlock&) = default;

  Variable forward(Variable x, const BlockInputs& inputs);
  void visit(ModuleVisitor& visitor) override;

 private:
  UNetLevel level_;
};

}  // namespace plumb
