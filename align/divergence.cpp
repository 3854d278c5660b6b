#include "align/divergence.h"

#include <algorithm>

#include "align/preference_weight.h"
#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// w(t), f64 [N].
Tensor ddpm_weights(const NoiseSchedule& schedule, Prediction prediction, const Tensor& t) {
  const Tensor weights = time_coefficients("divergence", schedule.alphas_cumprod(t.device()), t) * 0.5;
  if (prediction == Prediction::epsilon) return weights;
  require<ValueError>(prediction != Prediction::flow, "divergence: weights ddpm need a diffusion schedule, not flow");
  const Tensor abar = index_select(schedule.alphas_cumprod(t.device()).to(DType::f64), 0, t);
  return prediction == Prediction::v_prediction ? weights * abar : weights * abar / (1.0 - abar);
}

}  // namespace

double divergence(Denoiser& model, Denoiser& initial, const NoiseSchedule& schedule, const PreferencePairs& batch,
                  const RandomKey& key, const DivergenceOptions& options) {
  const NoGrad no_grad;
  const int64_t count = options.pairs > 0 ? std::min(options.pairs, batch.size()) : batch.size();
  const Tensor x0 = slice(batch.winners, 0, 0, count);
  const Condition condition = batch.condition.rows(0, count);
  const Tensor t = randint(key.fork("t"), 0, schedule.num_train_timesteps(), {count}, x0.device());
  const Tensor noise = randn(key.fork("noise"), x0.shape(), x0.dtype(), x0.device());
  const NoiseLevel level = schedule.level(t, x0.rank(), x0.dtype());
  const Tensor x = add_noise(level, x0, noise), target = prediction_target(options.prediction, level, x0, noise);
  const Tensor time = schedule.network_time(t);
  const Tensor gain = error_gain(model.predict(x, time, condition).value(), initial.predict(x, time, condition).value(),
                                 target, options.reduction)
                          .to(DType::f64);
  if (options.weights == DivergenceWeights::constant) return mean(gain).item();
  return mean(gain * ddpm_weights(schedule, options.prediction, t)).item();
}

DivergenceWeights divergence_weights_from_name(std::string_view name) {
  if (name == "constant") return DivergenceWeights::constant;
  if (name == "ddpm") return DivergenceWeights::ddpm;
  raise<ValueError>("divergence weights: must be constant or ddpm ({})", name);
}

}  // namespace plumb
