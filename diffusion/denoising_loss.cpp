#include "diffusion/denoising_loss.h"

#include <cmath>

#include "autograd/ops.h"
#include "diffusion/process/add_noise.h"
#include "engine/require.h"

namespace plumb {

Tensor min_snr_weights(Prediction prediction, const NoiseLevel& level, double gamma) {
  require<ValueError>(std::isfinite(gamma) && gamma > 0, "min-SNR: gamma must be positive ({})", gamma);
  const Tensor signal = square(flatten(level.alpha)), noise = square(flatten(level.sigma));
  switch (prediction) {
    case Prediction::epsilon:  // min(1, gamma / snr), which no snr can divide by zero
      return clamp(gamma * noise / signal, {.max = 1});
    case Prediction::sample:
      return clamp(signal / noise, {.max = gamma});
    case Prediction::v_prediction:  // snr / (snr + 1) is alpha^2
      return minimum(signal, gamma * noise);
    case Prediction::flow:
      break;
  }
  raise<ValueError>("min-SNR: prediction must be epsilon, sample or v_prediction ({})", name_of(prediction));
}

Variable denoising_loss(Denoiser& model, const NoiseSchedule& schedule, Prediction prediction,
                        const DenoisingBatch& batch) {
  return min_snr_loss(model, schedule, prediction, batch, 0);
}

Variable min_snr_loss(Denoiser& model, const NoiseSchedule& schedule, Prediction prediction,
                      const DenoisingBatch& batch, double gamma) {
  const NoiseLevel level = schedule.level(batch.t, batch.x0.rank(), batch.x0.dtype());
  const Tensor x = add_noise(level, batch.x0, batch.noise);
  const Variable output = model.predict(x, schedule.network_time(batch.t), batch.condition);
  const Variable target(prediction_target(prediction, level, batch.x0, batch.noise));
  if (gamma == 0) return mse(output, target);
  return mean(sample_error(output, target) * Variable(min_snr_weights(prediction, level, gamma)));
}

}  // namespace plumb
