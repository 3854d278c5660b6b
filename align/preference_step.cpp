#include "align/preference_step.h"

#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor frozen_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& condition) {
  NoGrad no_grad;
  return model.predict(x, t.to(DType::f32), condition).value();
}

}  // namespace

NoisedPairs noise_pairs(const NoiseSchedule& schedule, Prediction prediction, const PreferencePairs& batch,
                        const Tensor& t, const Tensor& noise, const Tensor& loser_noise) {
  require<ShapeError>(batch.winners.shape() == batch.losers.shape() && batch.winners.shape() == noise.shape(),
                      "noise_pairs: winners, losers and noise must agree; {}, {} and {}", batch.winners, batch.losers,
                      noise);
  const Tensor x0 = cat({batch.winners, batch.losers}, 0);
  const Tensor both_noise = cat({noise, loser_noise.defined() ? loser_noise : noise}, 0);
  const Tensor both_t = cat({t, t}, 0);
  const NoiseLevel level = schedule.level(both_t, x0.rank(), x0.dtype());
  return {.x = add_noise(level, x0, both_noise),
          .t = both_t,
          .target = prediction_target(prediction, level, x0, both_noise),
          .condition = Condition::cat(batch.condition, batch.condition),
          .negative = batch.negative};
}

ObjectiveOutput PreferenceStep::operator()(const PreferencePairs& batch, const Tensor& t, const Tensor& noise,
                                           const Tensor& loser_noise) const {
  if (!objective->uses_losers()) {
    const NoiseLevel level = schedule->level(t, batch.winners.rank(), batch.winners.dtype());
    const Tensor x = add_noise(level, batch.winners, noise);
    const Tensor ref = objective->uses_reference() ? frozen_prediction(*reference, x, t, batch.condition) : Tensor();
    return (*objective)({.pred = student->predict(x, t.to(DType::f32), batch.condition),
                         .ref = ref,
                         .target = prediction_target(prediction, level, batch.winners, noise),
                         .timesteps = t,
                         .num_train_timesteps = schedule->num_train_timesteps(),
                         .alphas_cumprod = schedule->alphas_cumprod(),
                         .winners_only = true});
  }
  const NoisedPairs noised = noise_pairs(*schedule, prediction, batch, t, noise, loser_noise);
  Tensor ref, initial_prediction;
  if (objective->uses_reference()) ref = frozen_prediction(*reference, noised.x, noised.t, noised.condition);
  if (policy->reads_initial_prediction())
    initial_prediction =
        initial == reference && ref.defined() ? ref : frozen_prediction(*initial, noised.x, noised.t, noised.condition);
  return (*objective)({.pred = student->predict(noised.x, noised.t.to(DType::f32), noised.condition),
                       .ref = ref,
                       .target = policy->targets(noised, initial_prediction),
                       .timesteps = noised.t,
                       .num_train_timesteps = schedule->num_train_timesteps(),
                       .alphas_cumprod = schedule->alphas_cumprod()});
}

}  // namespace plumb
