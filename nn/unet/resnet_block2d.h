#pragma once

#include <optional>

#include "nn/layers/activation_kind.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/linear.h"
#include "nn/unet/block_inputs.h"

namespace plumb {

/// How the timestep enters: added before the second normalisation, or scaling and shifting what leaves it.
enum class TimeScaleShift { default_, scale_shift };
/// Change of size inside a block, between its first activation and its first convolution: means of 2x2 pixels, or each
/// pixel repeated.
enum class Resampling { none, down, up };

struct ResnetBlock2DOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t temb_channels = 512;  ///< 0: the block knows no timestep
  int64_t groups = 32;
  double eps = 1e-6;
  double dropout = 0;
  TimeScaleShift time_scale_shift = TimeScaleShift::default_;
  ActivationKind act = ActivationKind::silu;
  double output_scale_factor = 1;
  Resampling resampling = Resampling::none;
};

/// diffusers' ResnetBlock2D:
///   h = conv1(act(norm1(x)))
///   h = h + p,                      then act(norm2(h)),    p = time_emb_proj(act(temb)) of [N, out, 1, 1]   (default)
///   h = norm2(h) (1 + scale) + shift, then act,            scale, shift the halves of p                 (scale_shift)
///   y = (conv_shortcut(x) + conv2(dropout(h))) / output_scale_factor
/// with 3x3 convolutions, and conv_shortcut 1x1 only where the number of channels changes.
/// x: [N, in, H, W] channels-last · y: [N, out, H, W] (half or double with resampling), channels-last. Differentiable.
class ResnetBlock2D final : public Layer<ResnetBlock2D> {
 public:
  /// Throws ValueError when channels are no multiple of groups or dropout is outside [0, 1].
  ResnetBlock2D(const ResnetBlock2DOptions& options, Init init);
  explicit ResnetBlock2D(const ResnetBlock2D&) = default;

  /// Reads temb, dropout and checkpoint of the inputs.
  Variable forward(const Variable& x, const BlockInputs& inputs);
  void visit(ModuleVisitor& visitor) override;

 private:
  Variable run(const Variable& x, const Variable& temb, const std::optional<RandomKey>& key) const;
  Variable first_half(const Variable& x) const;
  Variable second_half(const Variable& h, const Variable& temb, const std::optional<RandomKey>& key) const;
  Variable activated(const Variable& h, const GroupNorm& norm, const Conv2d& conv,
                     const std::optional<RandomKey>& key) const;
  Variable dropped(const Variable& h, const std::optional<RandomKey>& key) const;
  Variable time_share(const Variable& temb) const;

  ResnetBlock2DOptions options_;
  GroupNorm norm1_;
  Conv2d conv1_;
  std::optional<Linear> time_emb_proj_;
  GroupNorm norm2_;
  Conv2d conv2_;
  std::optional<Conv2d> conv_shortcut_;
};

}  // namespace plumb
