#pragma once

#include "engine/ops/optim/step_control.h"

namespace plumb {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  /// Decay shrinks the weight itself (AdamW, Loshchilov & Hutter 2019) instead of joining the gradient (Adam with L2).
  bool decoupled = false;
};

/// One Adam step on flat tensors, in place, with the operations and their order as in torch.optim:
///   w <- w (1 - lr weight_decay)            if decoupled
///   g' = g + weight_decay w                 otherwise; g' = g when decoupled
///   m <- m + (1 - beta1) (g' - m)           m = state1
///   v <- beta2 v + (1 - beta2) g'^2         v = state2
///   w <- w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// with t = control.step. Epsilon is outside the root and after the bias correction. The gradient is not changed.
/// Computed in acc_dtype(weight). Nothing happens when control.skip is true. Not differentiable.
void adam_step(UpdateTensors& tensors, const StepControl& control, const AdamOptions& options);

}  // namespace plumb
