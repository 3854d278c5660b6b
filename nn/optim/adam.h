#pragma once

#include "engine/ops/optim/adam.h"
#include "nn/optim/flat_optimizer.h"

namespace plumb {

struct AdamSettings {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Adam (Kingma & Ba 2015) with the arithmetic of torch.optim.Adam; weight decay joins the gradient:
///   g <- g + weight_decay w
///   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2
///   w <- w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// State: exp_avg (m) and exp_avg_sq (v), f32 (f64 for f64). 16-bit weights are updated through their masters.
/// Throws ValueError when a setting is outside its range: rate, epsilon, decay >= 0, betas in [0, 1).
class Adam : public FlatOptimizer {
 public:
  explicit Adam(const ParameterList& parameters, const AdamSettings& settings = {})
      : Adam(parameters, settings, false) {}

 protected:
  Adam(const ParameterList& parameters, const AdamSettings& settings, bool decoupled);
  void update(UpdateTensors& tensors, const StepControl& control) override;

 private:
  AdamOptions options_;
};

/// AdamW (Loshchilov & Hutter 2019) as torch.optim.AdamW: first w <- w (1 - lr weight_decay), then Adam without decay
/// in the gradient. The default decay is torch's, 1e-2.
class AdamW final : public Adam {
 public:
  explicit AdamW(const ParameterList& parameters, const AdamSettings& settings = {.weight_decay = 1e-2})
      : Adam(parameters, settings, true) {}
};

}  // namespace plumb
