#pragma once

#include "engine/ops/optim/sgd.h"
#include "nn/optim/flat_optimizer.h"

namespace plumb {

struct SgdSettings {
  double learning_rate = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Stochastic gradient descent with the arithmetic of torch.optim.SGD:
///   g <- g + weight_decay w
///   b <- momentum b + (1 - dampening) g     (first step: b = g)
///   w <- w - lr (g + momentum b) with nesterov,  w - lr b with momentum,  w - lr g without
/// State: momentum_buffer (b), f32 (f64 for f64), only with momentum.
/// Throws ValueError when a setting is outside its range, or for nesterov without momentum or with dampening.
class Sgd final : public FlatOptimizer {
 public:
  explicit Sgd(const ParameterList& parameters, const SgdSettings& settings = {});

 protected:
  void update(UpdateTensors& tensors, const StepControl& control) override;

 private:
  SgdOptions options_;
};

}  // namespace plumb
