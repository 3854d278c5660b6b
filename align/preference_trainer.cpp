#include "align/preference_trainer.h"

#include <algorithm>

#include "align/merge_outputs.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/optim/clip.h"

namespace plumb {
namespace {

const PreferenceTrainerOptions& checked(const PreferenceModels& models, const PreferenceTrainerOptions& options) {
  require<ValueError>(models.student && models.initial && models.objective && models.schedule && models.optimizer,
                      "preference trainer: needs student, initial model, objective, schedule and optimizer");
  require<ValueError>(models.policy || !models.objective->uses_losers(),
                      "preference trainer: objective {} needs a policy pair", models.objective->name());
  require<ValueError>(options.max_grad_norm >= 0, "preference trainer: max_grad_norm must not be negative ({})",
                      options.max_grad_norm);
  require<ValueError>(options.micro_batch >= 0, "preference trainer: micro_batch must not be negative ({})",
                      options.micro_batch);
  require<ValueError>(options.wanted_share >= 0 && options.wanted_share <= 1,
                      "preference trainer: wanted_share must be in [0, 1] ({})", options.wanted_share);
  require<ValueError>(options.divergence_every >= 0, "preference trainer: divergence_every must not be negative ({})",
                      options.divergence_every);
  return options;
}

/// `first` where mask (bool [B]), else `second`, row by row.
Tensor choose_rows(const Tensor& mask, const Tensor& first, const Tensor& second) {
  Shape shape = Dims::filled(first.rank(), 1);
  shape[0] = first.size(0);
  return where(reshape(mask, shape), first, second);
}

Tensor rows(const Tensor& x, int64_t begin, int64_t end) { return x.defined() ? slice(x, 0, begin, end) : x; }

PreferencePairs rows(const PreferencePairs& all, int64_t begin, int64_t end) {
  if (end - begin == all.size()) return all;
  return {rows(all.winners, begin, end), rows(all.losers, begin, end), all.condition.rows(begin, end),
          all.negative.rows(begin, end), rows(all.labels, begin, end)};
}

/// Condition row i becomes row i - 1, the first the last.
Condition rolled_by_one(const Condition& condition, int64_t count) {
  return count > 1 ? Condition::cat(condition.rows(count - 1, count), condition.rows(0, count - 1)) : condition;
}

}  // namespace

/// A batch with what was drawn for it as a whole; noise follows a micro-batch at a time.
struct PreferenceTrainer::Drawn {
  PreferencePairs pairs;
  RandomKey key;
  Tensor t = {}, loser_t = {}, first_label = {}, second_label = {};
  Condition rolled = {};  // over the effective batch
  Tensor takes_policy = {};
  bool transformed = false;
  FrozenRows frozen = {};
  bool two_samples = false;  // a pair is read as two samples
};

PreferenceTrainer::PreferenceTrainer(const PreferenceModels& models, const PreferenceTrainerOptions& options)
    : models_(models),
      options_(checked(models, options)),
      sampler_(options.timesteps, models.schedule->num_train_timesteps()) {
  if (options.reward_scale != RewardScale::none)
    reward_scale_ = Table(reward_scale(models.schedule->alphas_cumprod(), options.reward_scale));
  options.random_conditions.check();
  if (options.random_conditions.kind != RandomConditionKind::none)
    random_conditions_ =
        Table(random_condition_probability(options.random_conditions, models.schedule->num_train_timesteps()));
  if (!options.reference_update || options.reference_update->tau == 0) return;
  ReferenceUpdateOptions update = *options.reference_update;
  update.divergence.prediction = options.prediction;
  update_ =
      std::make_unique<ReferenceUpdate>(update, *models.student, *models.initial, *models.schedule, models.moving);
}

PreferenceTrainer::Drawn PreferenceTrainer::draw(const PreferencePairs& batch, const RandomKey& key) const {
  Drawn drawn{.pairs = batch, .key = key};
  const int64_t count = batch.size();
  const Device device = batch.winners.device();
  drawn.t = sampler_.draw(key, count, device);
  if (options_.transform && (options_.statistics == StatisticsScope::effective_batch)) {
    drawn.pairs = options_.transform(batch, key.fork("transform"));
    drawn.transformed = true;
  }
  if (random_conditions_.defined()) {
    RandomConditions replaced = apply_random_conditions(drawn.pairs, drawn.t, random_conditions_.on(device),
                                                        key.fork("random conditions"), options_.random_conditions);
    drawn.pairs = std::move(replaced.pairs);
    if (options_.random_conditions.others_take_noise) drawn.takes_policy = replaced.replaced;
  }
  drawn.two_samples = models_.objective->is_unpaired() && !batch.is_unpaired();
  if (drawn.two_samples) {
    drawn.loser_t = sampler_.draw(key.fork("second sample"), count, device);
    const double p = options_.wanted_share;
    const Tensor u = rand(key.fork("wanted"), {count}, DType::f64, device),
                 one = full({count}, 1.0, DType::f32, device);
    const Tensor first = lt(u, std::min(2 * p, 1.0)), second = ge(u, std::min(2 - 2 * p, 1.0));
    drawn.first_label = where(first, one, -1.0);
    drawn.second_label = where(second, one, -1.0);
  }
  if (models_.objective->reads_rolled_conditions() && options_.statistics == StatisticsScope::effective_batch)
    drawn.rolled = rolled_by_one(drawn.pairs.condition, count);
  return drawn;
}

PairDraw PreferenceTrainer::draw_of(const Drawn& drawn, int64_t begin, int64_t end) const {
  const auto at = [&](const char* name) { return drawn.key.fork(name).at_sample(drawn.key.sample0 + uint64_t(begin)); };
  const Tensor& winners = drawn.pairs.winners;
  Shape shape = winners.shape();
  shape[0] = end - begin;
  PairDraw draw{.t = rows(drawn.t, begin, end), .noise = randn(at("noise"), shape, winners.dtype(), winners.device())};
  draw.takes_policy = rows(drawn.takes_policy, begin, end);
  draw.frozen = drawn.frozen.rows(begin, end);
  if (drawn.two_samples) {
    draw.loser_t = rows(drawn.loser_t, begin, end);
    draw.labels = cat({rows(drawn.first_label, begin, end), rows(drawn.second_label, begin, end)}, 0);
  }
  if (options_.independent_noise || drawn.two_samples)
    draw.loser_noise = randn(at("loser noise"), shape, winners.dtype(), winners.device());
  if (models_.objective->reads_rolled_conditions())
    draw.rolled = options_.statistics == StatisticsScope::effective_batch
                      ? drawn.rolled.rows(begin, end)
                      : rolled_by_one(drawn.pairs.condition.rows(begin, end), end - begin);
  if (reward_scale_.defined()) {
    const Tensor t = drawn.two_samples ? cat({draw.t, draw.loser_t}, 0) : draw.t;
    draw.logit_scale = index_select(reward_scale_.on(t.device()), 0, t);
  }
  return draw;
}

PreferenceStep PreferenceTrainer::now() {
  return {.student = models_.student,
          .reference = &reference(),
          .initial = models_.initial,
          .objective = models_.objective,
          .policy = models_.policy,
          .schedule = models_.schedule,
          .prediction = options_.prediction,
          .precondition = options_.precondition};
}

void PreferenceTrainer::check_frozen() const {
  require<ValueError>(!update_ && !random_conditions_.defined() && !options_.transform,
                      "preference trainer: a moving reference, random conditions and transforms are not known before "
                      "the step; frozen rows cannot be used");
  require<ValueError>(models_.objective->takes_reference_errors(),
                      "preference trainer: {} reads more than the reference's errors; frozen rows cannot be used",
                      models_.objective->name());
}

FrozenRows PreferenceTrainer::frozen_rows(const PreferencePairs& batch, const RandomKey& key, Reduction reduction) {
  check_frozen();
  const Drawn drawn = draw(batch, key);
  const int64_t count = batch.size(), micro = options_.micro_batch > 0 ? options_.micro_batch : count;
  std::vector<FrozenRows> parts;
  for (int64_t begin = 0; begin < count; begin += micro) {
    const int64_t end = std::min(begin + micro, count);
    parts.push_back(now().frozen_rows(rows(batch, begin, end), draw_of(drawn, begin, end), reduction));
  }
  return FrozenRows::cat(parts);
}

ObjectiveInput PreferenceTrainer::evaluate(const Drawn& drawn, int64_t begin, int64_t end, const Tensor& statistics) {
  PreferencePairs pairs = rows(drawn.pairs, begin, end);
  if (options_.transform && !drawn.transformed)
    pairs = options_.transform(pairs, drawn.key.fork("transform").at_sample(drawn.key.sample0 + uint64_t(begin)));
  PairDraw draw = draw_of(drawn, begin, end);
  draw.statistics = statistics;
  if (draw.labels.defined()) {
    const Tensor first = gt(rows(drawn.first_label, begin, end), 0.0),
                 second = gt(rows(drawn.second_label, begin, end), 0.0);
    const PreferencePairs samples = pairs;
    pairs.winners = choose_rows(first, samples.winners, samples.losers);
    pairs.losers = choose_rows(second, samples.winners, samples.losers);
  }
  return now().evaluate(pairs, draw);
}

Tensor PreferenceTrainer::effective_statistics(const Drawn& drawn) {
  const NoGrad no_grad;
  Tensor total;
  const int64_t count = drawn.pairs.size();
  for (int64_t begin = 0; begin < count; begin += options_.micro_batch) {
    const int64_t end = std::min(begin + options_.micro_batch, count);
    const Tensor part = models_.objective->batch_statistics(evaluate(drawn, begin, end, {}));
    if (!part.defined()) return {};
    total = total.defined() ? total + part : part;
  }
  return total;
}

ObjectiveOutput PreferenceTrainer::accumulate(const Drawn& drawn, Tensor& timesteps) {
  const int64_t count = drawn.pairs.size();
  const int64_t micro = options_.micro_batch > 0 ? std::min(options_.micro_batch, count) : count;
  if (micro == count) {
    const ObjectiveInput input = evaluate(drawn, 0, count, {});
    timesteps = input.timesteps;
    ObjectiveOutput output = (*models_.objective)(input);
    backward(output.loss);
    output.loss = output.loss.detach();
    return output;
  }
  const Tensor statistics =
      options_.statistics == StatisticsScope::effective_batch ? effective_statistics(drawn) : Tensor();
  std::vector<ObjectiveOutput> outputs;
  std::vector<Tensor> times;
  for (int64_t begin = 0; begin < count; begin += micro) {
    const int64_t end = std::min(begin + micro, count);
    const ObjectiveInput input = evaluate(drawn, begin, end, statistics);
    ObjectiveOutput output = (*models_.objective)(input);
    backward(output.loss,
             {.grad = scalar(double(end - begin) / double(count), output.loss.dtype(), output.loss.value().device())});
    output.loss = output.loss.detach();
    times.push_back(input.timesteps);
    outputs.push_back(std::move(output));
  }
  timesteps = cat_halves(times, models_.objective->uses_losers());
  return merge_outputs(outputs);
}

PreferenceStepResult PreferenceTrainer::step(const PreferencePairs& batch, const RandomKey& key) {
  PreferenceStepResult result = gradients(batch, key);
  apply(result);
  return result;
}

PreferenceStepResult PreferenceTrainer::gradients(const PreferencePairs& batch, const RandomKey& key,
                                                  const FrozenRows& frozen) {
  require<ValueError>(batch.size() >= 1, "preference trainer: a batch must hold at least one pair; winners {}",
                      batch.winners);
  Optimizer& optimizer = *models_.optimizer;
  optimizer.zero_grad();
  if (frozen.defined()) check_frozen();
  Drawn drawn = draw(batch, key);
  drawn.frozen = frozen;
  PreferenceStepResult result{.pairs = drawn.pairs, .key = key};
  result.output = accumulate(drawn, result.timesteps);
  result.grad_norm = options_.max_grad_norm > 0 ? clip_grad_norm(optimizer.arena(), options_.max_grad_norm)
                                                : grad_norm(optimizer.arena());
  return result;
}

void PreferenceTrainer::apply(PreferenceStepResult& result) {
  update(result);
  finish(result);
}

Tensor PreferenceTrainer::is_dropped(const PreferenceStepResult& result) {
  const Tensor loss = reshape(result.output.loss.value().to(DType::f64), result.grad_norm.shape());
  return logical_or(not_finite(result.grad_norm), not_finite(loss));
}

void PreferenceTrainer::update(const PreferenceStepResult& result) { models_.optimizer->step(is_dropped(result)); }

void PreferenceTrainer::finish(PreferenceStepResult& result) {
  result.learning_rate = models_.optimizer->learning_rate();
  ++steps_;
  if (update_) {
    update_->after_step(result.pairs, result.key.fork("reference update"));
    result.reference_divergence = update_->divergence();
  }
  if (options_.divergence_every > 0 && steps_ % options_.divergence_every == 0) {
    DivergenceOptions measured = options_.reference_update.value_or(ReferenceUpdateOptions{}).divergence;
    measured.prediction = options_.prediction;
    result.divergence = divergence(*models_.student, *models_.initial, *models_.schedule, result.pairs,
                                   result.key.fork("divergence"), measured);
  }
}

void PreferenceTrainer::set_random_prompts(Condition prompts, Condition negatives, Tensor variants) {
  RandomConditionOptions& list = options_.random_conditions;
  list.prompts = std::move(prompts);
  list.negatives = std::move(negatives);
  list.variants = std::move(variants);
  list.check();
}

StateDict PreferenceTrainer::state_dict() const {
  StateDict state;
  if (update_) state = update_->state_dict();
  state.push_back({"preference_trainer.steps", scalar(double(steps_), DType::i64)});
  return state;
}

void PreferenceTrainer::load_state_dict(const StateDict& state) {
  StateDict update;
  Tensor steps = scalar(0, DType::i64);
  StateDict own;
  for (const NamedTensor& named : state) (named.name == "preference_trainer.steps" ? own : update).push_back(named);
  load_tensors("preference trainer state", {{"preference_trainer.steps", steps}}, own);
  if (update_)
    update_->load_state_dict(update);
  else
    load_tensors("preference trainer state", {}, update);
  steps_ = steps.item<int64_t>();
}

StepStatistics step_statistics(const PreferenceStepResult& result) {
  StepStatistics s = step_statistics(result.output, result.grad_norm);
  s.learning_rate = result.learning_rate;
  s.divergence = result.divergence;
  s.reference_divergence = result.reference_divergence;
  return s;
}

}  // namespace plumb
