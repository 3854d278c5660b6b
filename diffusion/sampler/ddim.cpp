#include "diffusion/sampler/ddim.h"

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Tensor ddim_step(const NoiseSchedule& schedule, SamplerStep step, const Tensor& x, const Tensor& prediction,
                 const Tensor& noise, const DdimOptions& options) {
  require<ValueError>(options.eta >= 0, "ddim: eta must not be negative ({})", options.eta);
  require<ValueError>(step.previous < step.t, "ddim: a step goes to an earlier timestep ({} to {})", step.t,
                      step.previous);
  const double abar = schedule.alpha_cumprod(step.t);
  const double abar_previous = step.previous < 0 && !options.set_alpha_to_one ? schedule.alpha_cumprod(0)
                                                                              : schedule.alpha_cumprod(step.previous);
  const NoiseLevel level{scalar(std::sqrt(abar), x.dtype(), x.device()),
                         scalar(std::sqrt(1 - abar), x.dtype(), x.device())};
  Tensor x0 = predicted_x0(options.prediction, level, x, prediction);
  Tensor eps = predicted_noise(options.prediction, level, x, prediction);
  if (options.clip_sample) {
    x0 = clamp(x0, {.min = -1, .max = 1});
    eps = predicted_noise(Prediction::sample, level, x, x0);
  }
  const double variance = (1 - abar_previous) / (1 - abar) * (1 - abar / abar_previous);
  const double sigma = options.eta * std::sqrt(variance);
  const double direction = std::sqrt(std::max(0.0, 1 - abar_previous - sigma * sigma));
  Tensor out = x0 * std::sqrt(abar_previous) + eps * direction;
  return sigma > 0 ? out + noise * sigma : out;
}

}  // namespace plumb
