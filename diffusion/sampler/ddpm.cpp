#include "diffusion/sampler/ddpm.h"

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Tensor ddpm_step(const NoiseSchedule& schedule, SamplerStep step, const Tensor& x, const Tensor& prediction,
                 const Tensor& noise, const DdpmOptions& options) {
  require<ValueError>(step.previous < step.t, "ddpm: a step goes to an earlier timestep ({} to {})", step.t,
                      step.previous);
  const double abar = schedule.alpha_cumprod(step.t);
  const double abar_previous = schedule.alpha_cumprod(step.previous);
  const double a = abar / abar_previous, b = 1 - a;
  const NoiseLevel level{scalar(std::sqrt(abar), x.dtype(), x.device()),
                         scalar(std::sqrt(1 - abar), x.dtype(), x.device())};
  Tensor x0 = predicted_x0(options.prediction, level, x, prediction);
  if (options.clip_sample) x0 = clamp(x0, {.min = -1, .max = 1});
  const Tensor mean =
      x0 * (std::sqrt(abar_previous) * b / (1 - abar)) + x * (std::sqrt(a) * (1 - abar_previous) / (1 - abar));
  if (step.t == 0) return mean;
  // diffusers bounds the variance from below so that its logarithm exists; the floor is kept for equal samples.
  const double small = std::max(b * (1 - abar_previous) / (1 - abar), 1e-20);
  return mean + noise * std::sqrt(options.variance == DdpmVariance::fixed_small ? small : b);
}

}  // namespace plumb
