#pragma once

#include "diffusion/sampler/ddim.h"

namespace plumb {

/// Variance of the reverse step: the posterior's (small), or beta of the step (large).      [Ho et al. 2020, Sec. 3.2]
enum class DdpmVariance { fixed_small, fixed_large };

struct DdpmOptions {
  Prediction prediction = Prediction::epsilon;
  DdpmVariance variance = DdpmVariance::fixed_small;
  bool clip_sample = false;  ///< clamp the predicted x0 to [-1, 1]
};

/// One ancestral step of DDPM between any two timesteps, a pure function of its arguments.      [Ho et al. 2020, Eq. 7]
///   a = abar_t / abar_p,  b = 1 - a
///   mean     = sqrt(abar_p) b / (1 - abar_t) x0 + sqrt(a) (1 - abar_p) / (1 - abar_t) x
///   variance = b (1 - abar_p) / (1 - abar_t)   (fixed_small),   b   (fixed_large)
/// x, prediction, noise: [N, …] · returns like x. No noise is added by the step to timestep 0's clean side (t = 0).
/// Throws ValueError when t <= previous, IndexError outside the schedule.
Tensor ddpm_step(const NoiseSchedule& schedule, SamplerStep step, const Tensor& x, const Tensor& prediction,
                 const Tensor& noise, const DdpmOptions& options = {});

}  // namespace plumb
