#pragma once

#include <memory>
#include <optional>

#include "nn/layers/embedding.h"
#include "nn/layers/timestep_mlp.h"
#include "nn/unet/unet2d_options.h"
#include "nn/unet/unet_blocks.h"

namespace plumb {

/// What a UNet2DModel may be given besides picture and timestep.
struct UNet2DInputs {
  Tensor class_labels = {};  ///< i64 [N], where the model has classes
  /// Set while training: where dropout's draws come from. Without it nothing is dropped.
  std::optional<RandomKey> dropout = {};
};

/// diffusers' UNet2DModel: a picture goes down through levels of residual blocks and halves its size at the end of
/// each, through the middle, and up again, joined on every level by what the way down had there.  [Ronneberger 2015,
/// Ho et al. 2020]
/// x: [N, in_channels, H, W], H and W multiples of 2^(levels - 1), in the weights' dtype · t: [N] · returns
/// [N, out_channels, H, W], contiguous. Differentiable in x and the weights.
/// Inside everything is channels-last: converted once at the way in, once at the way out. Names and order of the
/// weights are diffusers' state dict, and the same seed gives torch's first weights.
class UNet2DModel final : public Layer<UNet2DModel> {
 public:
  /// Throws ValueError for impossible options (see UNet2DOptions::check).
  UNet2DModel(const UNet2DOptions& options, Init init);
  explicit UNet2DModel(const UNet2DModel&) = default;

  const UNet2DOptions& options() const { return options_; }
  /// Of the weights.
  DType dtype() { return conv_in_.weight().dtype(); }
  /// While on, backward computes each residual block again instead of keeping what is inside it: a third more work,
  /// for memory. diffusers' enable_gradient_checkpointing.
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }

  /// Throws ShapeError when x or t do not fit, ValueError when labels are missing or not wanted.
  Variable forward(const Variable& x, const Tensor& t, const UNet2DInputs& inputs = {});
  void visit(ModuleVisitor& visitor) override;

 private:
  void check(const Variable& x, const Tensor& t, const UNet2DInputs& inputs) const;
  Variable time_features(const Tensor& t, const Tensor& labels, DType dtype) const;

  UNet2DOptions options_;
  bool checkpointing_ = false;
  Conv2d conv_in_;
  TimestepMlp time_embedding_;
  std::optional<Embedding> class_table_;
  std::optional<TimestepMlp> class_mlp_;
  ModuleList<UNetDownBlock> down_blocks_;
  std::optional<UNetMidBlock> mid_block_;
  ModuleList<UNetUpBlock> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace plumb
