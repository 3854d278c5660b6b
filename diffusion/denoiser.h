#pragma once

#include "autograd/variable.h"
#include "diffusion/condition.h"
#include "nn/module.h"

namespace plumb {

/// The one signature of every diffusion network, for points and for pictures.
class Denoiser : public Module {
 public:
  /// x: [N, …] noisy samples · t: f32 [N], timesteps 0 <= t < T (or flow times) · returns the prediction, like x.
  virtual Variable predict(const Variable& x, const Tensor& t, const Condition& condition) = 0;
};

}  // namespace plumb
