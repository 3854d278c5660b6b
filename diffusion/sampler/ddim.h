#pragma once

#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"

namespace plumb {

/// One denoising step from timestep t to `previous` (-1: all the way to the clean end).
struct SamplerStep {
  int64_t t = 0;
  int64_t previous = -1;
};

struct DdimOptions {
  Prediction prediction = Prediction::epsilon;
  double eta = 0;                ///< 0: deterministic; 1: as much noise as DDPM
  bool clip_sample = false;      ///< clamp the predicted x0 to [-1, 1] and re-derive the noise from it
  bool set_alpha_to_one = true;  ///< abar at the clean end is 1; false: abar_0, as Stable Diffusion's configs say
};

/// One step of DDIM, a pure function of its arguments.                              [Song et al. 2021, Eqs. 12 and 16]
///   sigma = eta sqrt((1 - abar_p) / (1 - abar_t)) sqrt(1 - abar_t / abar_p)
///   x_p   = sqrt(abar_p) x0 + sqrt(1 - abar_p - sigma^2) eps + sigma noise
/// x, prediction: [N, …] · noise: like x, read only when eta > 0 (may be undefined otherwise) · returns like x.
/// Throws ValueError when eta is negative or t <= previous, IndexError outside the schedule.
Tensor ddim_step(const NoiseSchedule& schedule, SamplerStep step, const Tensor& x, const Tensor& prediction,
                 const Tensor& noise, const DdimOptions& options = {});

}  // namespace plumb
