#pragma once

#include "nn/module.h"

namespace plumb {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< false: neither weight nor bias
  bool bias = true;
  DType dtype = DType::f32;
};

/// Normalises over the last dimensions, then scales and shifts (engine/ops/norm/layer_norm.h).
/// x: [..., normalized] · weight, bias: [normalized], starting at 1 and 0 · y like x. Differentiable in all three.
class LayerNorm final : public Layer<LayerNorm> {
 public:
  explicit LayerNorm(const Shape& normalized, const LayerNormOptions& options = {});
  explicit LayerNorm(const LayerNorm&) = default;

  Variable forward(const Variable& x) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  Shape normalized_;
  double eps_;
  Parameter weight_, bias_;
};

}  // namespace plumb
