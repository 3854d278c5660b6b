#pragma once

#include "engine/ops/conv/conv2d.h"
#include "nn/adapter.h"
#include "nn/init.h"
#include "nn/module.h"

namespace plumb {

class GroupNorm;

struct Conv2dLayerOptions {
  Conv2dOptions conv = {};
  bool bias = true;
  DType dtype = DType::f32;  ///< f32 or f64; to_dtype() changes it later
};

/// y = x * W + b (engine/ops/conv/conv2d.h), plus the active low-rank adapter's delta if there is one: a convolution to
/// `rank` channels with the layer's kernel, stride and padding, then a 1x1 convolution to the output channels, as PEFT
/// has it. A convolution in groups carries no adapters.
/// x: [N, C, H, W] · W: [O, C / groups, KH, KW] · b: [O] · y: [N, O, OH, OW]. Differentiable in x, W, b and the
/// adapter. Starts as torch.nn.Conv2d: W from kaiming_uniform(a = sqrt 5), then b from U(-1, 1) / sqrt(fan_in).
class Conv2d final : public Layer<Conv2d> {
 public:
  /// Throws ShapeError when a size is negative, ValueError when channels are no multiple of groups.
  Conv2d(int64_t in_channels, int64_t out_channels, Size2d kernel, Init init, const Conv2dLayerOptions& options = {});
  explicit Conv2d(const Conv2d&) = default;

  Variable forward(const Variable& x) const;
  /// forward(norm.forward(x)), which does not keep what lies between the two (autograd/ops/conv.h, group_norm_conv2d).
  Variable forward_normalised(const Variable& x, const GroupNorm& norm) const;
  void visit(ModuleVisitor& visitor) override;

  Parameter& weight() { return weight_; }
  Parameter& bias() { return bias_; }
  AdapterList& adapters() { return adapters_; }

 private:
  Variable delta(const Adapter& adapter, const Variable& x) const;

  Conv2dOptions options_;
  Parameter weight_;
  Parameter bias_;  // absent without bias
  AdapterList adapters_;
};

}  // namespace plumb
