#pragma once

#include "engine/ops/norm/group_norm.h"
#include "nn/module.h"

namespace plumb {

struct GroupNormLayerOptions {
  double eps = 1e-5;
  bool affine = true;  ///< false: neither weight nor bias
  bool silu = false;   ///< SiLU of the result, in the same pass
  DType dtype = DType::f32;
};

/// Normalises each group of channels over its channels and pixels, then scales and shifts every channel
/// (engine/ops/norm/group_norm.h).
/// x: [N, C, ...] · weight, bias: [C], starting at 1 and 0 · y like x. Differentiable in all three.
class GroupNorm final : public Layer<GroupNorm> {
 public:
  /// Throws ValueError when channels are no multiple of groups.
  GroupNorm(int64_t groups, int64_t channels, const GroupNormLayerOptions& options = {});
  explicit GroupNorm(const GroupNorm&) = default;

  Variable forward(const Variable& x) const;
  const GroupNormOptions& options() const { return options_; }
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }
  void visit(ModuleVisitor& visitor) override;

 private:
  GroupNormOptions options_;
  Parameter weight_, bias_;
};

}  // namespace plumb
