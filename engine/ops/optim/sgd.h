#pragma once

#include "engine/ops/optim/step_control.h"

namespace plumb {

struct SgdOptions {
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// One step of stochastic gradient descent on flat tensors, in place, as torch.optim.SGD:
///   g' = g + weight_decay w
///   b <- momentum b + (1 - dampening) g'    b = state1, only with momentum; the first step sets b = g', undampened
///   d = g' + momentum b  (nesterov),  b  (momentum),  g'  (neither)
///   w <- w - lr d
/// The gradient is not changed. Nothing happens when control.skip is true. Not differentiable.
void sgd_step(UpdateTensors& tensors, const StepControl& control, const SgdOptions& options);

}  // namespace plumb
