#include "align/preference_step.h"

#include "autograd/grad_mode.h"
#include "autograd/ops.h"
#include "diffusion/process/add_noise.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor frozen_prediction(Denoiser& model, const Tensor& x, const Tensor& time, const Condition& condition) {
  NoGrad no_grad;
  return model.predict(x, time, condition).value();
}

/// The frozen models' part of a batch of pairs.
struct FrozenPredictions {
  Tensor ref;      // reference at (x_t, t, c), [2B, …]; undefined unless the objective uses it
  Tensor initial;  // initial model at (xw_t, t, c) over (xl_t, t, c-); undefined unless the policy pair reads it
};

FrozenPredictions frozen_predictions(const PreferenceStep& step, const NoisedPairs& noised) {
  const bool uses_reference = step.objective->uses_reference();
  if (!step.policy->reads_initial_prediction())
    return {uses_reference ? frozen_prediction(*step.reference, noised.x, noised.time, noised.condition) : Tensor(),
            {}};
  require<ValueError>(noised.negative.labels.defined() || noised.negative.context.defined(),
                      "policy pair: the initial model's targets need the pairs' negative conditions");
  const int64_t b = noised.pairs();
  if (!uses_reference || step.initial != step.reference)
    return {uses_reference ? frozen_prediction(*step.reference, noised.x, noised.time, noised.condition) : Tensor(),
            frozen_prediction(*step.initial, noised.x, noised.time,
                              Condition::cat(noised.condition.rows(0, b), noised.negative))};
  const Tensor losers = slice(noised.x, 0, b, 2 * b), losers_time = slice(noised.time, 0, b, 2 * b);
  const Tensor all = frozen_prediction(*step.reference, cat({noised.x, losers}, 0), cat({noised.time, losers_time}, 0),
                                       Condition::cat(noised.condition, noised.negative));
  return {slice(all, 0, 0, 2 * b), cat({slice(all, 0, 0, b), slice(all, 0, 2 * b, 3 * b)}, 0)};
}

/// [2B] or [2B, …] from B rows for each half.
Tensor twice(const Tensor& rows) { return cat({rows, rows}, 0); }

Tensor mixed_targets(const Tensor& takes_policy, const Tensor& policy, const Tensor& forward) {
  if (!takes_policy.defined()) return policy;
  Shape shape = Dims::filled(policy.rank(), 1);
  shape[0] = policy.size(0);
  return where(reshape(twice(takes_policy), shape), policy, forward);
}

/// [B, 2, …] from winners over losers, and back.
Tensor by_pair(const Tensor& rows) {
  const int64_t b = rows.size(0) / 2;
  return cat({unsqueeze(slice(rows, 0, 0, b), 1), unsqueeze(slice(rows, 0, b, 2 * b), 1)}, 1);
}
Tensor by_half(const Tensor& pairs) {
  return cat({flatten(slice(pairs, 1, 0, 1), 0, 1), flatten(slice(pairs, 1, 1, 2), 0, 1)}, 0);
}

/// Velocities become the clean samples they imply, x - s v.
void to_clean_samples(ObjectiveInput& input, const Tensor& x, const Tensor& sigma) {
  input.pred = Variable(x) - Variable(sigma) * input.pred;
  for (Tensor* velocity : {&input.ref, &input.target, &input.pred_roll, &input.ref_roll})
    if (velocity->defined()) *velocity = x - sigma * *velocity;
}

}  // namespace

FrozenRows FrozenRows::rows(int64_t begin, int64_t end) const {
  const auto part = [&](const Tensor& all) { return all.defined() ? slice(all, 0, begin, end) : all; };
  return {part(errors), part(targets)};
}

FrozenRows FrozenRows::cat(const std::vector<FrozenRows>& parts) {
  std::vector<Tensor> errors, targets;
  for (const FrozenRows& part : parts) {
    errors.push_back(part.errors);
    if (part.targets.defined()) targets.push_back(part.targets);
  }
  return {plumb::cat(errors, 0), targets.empty() ? Tensor() : plumb::cat(targets, 0)};
}

NoisedPairs noise_pairs(const NoiseSchedule& schedule, Prediction prediction, const PreferencePairs& batch,
                        const PairDraw& draw) {
  require<ShapeError>(batch.winners.shape() == batch.losers.shape() && batch.winners.shape() == draw.noise.shape(),
                      "noise_pairs: winners, losers and noise must agree; {}, {} and {}", batch.winners, batch.losers,
                      draw.noise);
  const Tensor x0 = cat({batch.winners, batch.losers}, 0);
  const Tensor noise = cat({draw.noise, draw.loser_noise.defined() ? draw.loser_noise : draw.noise}, 0);
  const Tensor t = cat({draw.t, draw.loser_t.defined() ? draw.loser_t : draw.t}, 0);
  const NoiseLevel level = schedule.level(t, x0.rank(), x0.dtype());
  return {.x = add_noise(level, x0, noise),
          .t = t,
          .time = schedule.network_time(t),
          .sigma = level.sigma,
          .target = prediction_target(prediction, level, x0, noise),
          .condition = Condition::cat(batch.condition, batch.condition),
          .negative = batch.negative};
}

ObjectiveInput PreferenceStep::evaluate(const PreferencePairs& batch, const PairDraw& draw) const {
  require<ValueError>(!precondition || prediction == Prediction::flow,
                      "preference step: precondition is for flow_prediction ({})", name_of(prediction));
  ObjectiveInput input{.labels = draw.labels, .logit_scale = draw.logit_scale, .statistics = draw.statistics};
  input.num_train_timesteps = schedule->num_train_timesteps();
  if (!schedule->is_flow()) input.alphas_cumprod = schedule->alphas_cumprod(draw.t.device());  // flow has no betas
  require<ValueError>(!batch.is_unpaired() || objective->is_unpaired(),
                      "preference step: {} takes pairs, and the batch holds samples judged one by one",
                      objective->name());
  if (batch.is_unpaired() || !objective->uses_losers()) {
    const NoiseLevel level = schedule->level(draw.t, batch.winners.rank(), batch.winners.dtype());
    const Tensor x = add_noise(level, batch.winners, draw.noise);
    const Tensor time = schedule->network_time(draw.t);
    if (objective->uses_reference()) input.ref = frozen_prediction(*reference, x, time, batch.condition);
    input.pred = student->predict(x, time, batch.condition);
    input.target = prediction_target(prediction, level, batch.winners, draw.noise);
    input.timesteps = draw.t;
    input.winners_only = !batch.is_unpaired();
    if (batch.is_unpaired()) input.labels = batch.labels;
    if (objective->reads_rolled_conditions()) {
      input.pred_roll = frozen_prediction(*student, x, time, draw.rolled);
      input.ref_roll = frozen_prediction(*reference, x, time, draw.rolled);
    }
    if (precondition) to_clean_samples(input, x, level.sigma);
    return input;
  }
  const NoisedPairs noised = noise_pairs(*schedule, prediction, batch, draw);
  if (draw.frozen.defined()) {
    const Tensor& errors = draw.frozen.errors;
    require<ShapeError>(errors.shape() == Shape{noised.pairs(), 2},
                        "preference step: frozen errors must be [B, 2]; errors {}, winners {}", errors, batch.winners);
    input.pred = student->predict(noised.x, noised.time, noised.condition);
    input.ref_error = by_half(draw.frozen.errors);
    input.target =
        draw.frozen.targets.defined() ? by_half(draw.frozen.targets).to(input.pred.value().dtype()) : noised.target;
    input.timesteps = noised.t;
    return input;
  }
  const FrozenPredictions frozen = frozen_predictions(*this, noised);
  input.pred = student->predict(noised.x, noised.time, noised.condition);
  input.ref = frozen.ref;
  input.target = mixed_targets(draw.takes_policy, policy->targets(noised, frozen.initial), noised.target);
  input.timesteps = noised.t;
  if (objective->reads_rolled_conditions()) {
    const Condition rolled = Condition::cat(draw.rolled, draw.rolled);
    input.pred_roll = frozen_prediction(*student, noised.x, noised.time, rolled);
    input.ref_roll = frozen_prediction(*reference, noised.x, noised.time, rolled);
  }
  if (precondition) to_clean_samples(input, noised.x, noised.sigma);
  return input;
}

FrozenRows PreferenceStep::frozen_rows(const PreferencePairs& batch, const PairDraw& draw, Reduction reduction) const {
  require<ValueError>(objective->takes_reference_errors(), "preference step: {} reads more than the reference's errors",
                      objective->name());
  require<ValueError>(!precondition && !draw.takes_policy.defined(),
                      "preference step: frozen rows know neither precondition nor takes_policy");
  const NoGrad no_grad;
  const NoisedPairs noised = noise_pairs(*schedule, prediction, batch, draw);
  const FrozenPredictions frozen = frozen_predictions(*this, noised);
  const Tensor target = policy->targets(noised, frozen.initial);
  return {.errors = by_pair(sample_error(frozen.ref, target, reduction)),
          .targets = policy->is_forward_process() ? Tensor() : by_pair(target)};
}

ObjectiveOutput PreferenceStep::operator()(const PreferencePairs& batch, const PairDraw& draw) const {
  return (*objective)(evaluate(batch, draw));
}

ObjectiveOutput PreferenceStep::operator()(const PreferencePairs& batch, const Tensor& t, const Tensor& noise,
                                           const Tensor& loser_noise) const {
  return (*this)(batch, {.t = t, .noise = noise, .loser_noise = loser_noise});
}

}  // namespace plumb
