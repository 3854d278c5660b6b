#pragma once

#include <span>

#include "engine/fused_activation.h"
#include "nn/adapter.h"
#include "nn/init.h"
#include "nn/module.h"

namespace plumb {

struct LinearOptions {
  bool bias = true;
  DType dtype = DType::f32;  ///< f32 or f64; to_dtype() changes it later
};

/// y = x W^T + b, plus the active low-rank adapter's delta if there is one (nn/adapter.h).
/// x: [..., in] · W: [out, in] · b: [out] · y: [..., out]. Differentiable in x, W, b and the adapter.
/// Starts as torch.nn.Linear: W from kaiming_uniform(a = sqrt 5), then b from U(-1, 1) / sqrt(in).
class Linear final : public Layer<Linear> {
 public:
  /// Throws ShapeError when a size is negative.
  Linear(int64_t in_features, int64_t out_features, Init init, const LinearOptions& options = {});
  explicit Linear(const Linear&) = default;

  Variable forward(const Variable& x) const;
  /// activation(forward(x)), the same bits in one op where no adapter is active.
  Variable forward(const Variable& x, FusedActivation activation) const;
  /// Of parts whose features lie side by side: forward(cat(parts, -1), activation), but a part that needs no gradient
  /// costs none.
  Variable forward(std::span<const Variable> parts, FusedActivation activation) const;
  void visit(ModuleVisitor& visitor) override;

  Parameter& weight() { return weight_; }
  Parameter& bias() { return bias_; }
  AdapterList& adapters() { return adapters_; }

 private:
  Parameter weight_;
  Parameter bias_;  // absent without bias
  AdapterList adapters_;
};

}  // namespace plumb
