#include "align/random_condition.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "align/perturb_init.h"
#include "align/preference_trainer.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A list of two prompts with their negatives.
RandomConditionOptions listed(RandomConditionKind kind) {
  return {.kind = kind,
          .prompts = {.labels = from_vector<int64_t>({4, 5}, {2})},
          .negatives = {.labels = from_vector<int64_t>({0, 1}, {2})}};
}

}  // namespace

TEST_CASE("random conditions: probability by timestep") {
  const auto p = [](RandomConditionOptions options) {
    return random_condition_probability(options, 10).to_vector<double>();
  };
  CHECK(p({})[9] == 0);
  CHECK(p({.kind = RandomConditionKind::constant, .probability = 0.25})[3] == 0.25);
  CHECK(std::abs(p({.kind = RandomConditionKind::exponential, .k = 2})[5] - std::exp(-1.0)) <= 1e-15);
  CHECK(p({.kind = RandomConditionKind::sigmoid})[7] == 0.5);
  CHECK(std::abs(p({.kind = RandomConditionKind::sigmoid})[9] - 1 / (1 + std::exp(-4.0))) <= 1e-14);
  CHECK_THROWS_AS(p({.probability = 1.5}), ValueError);
  CHECK_THROWS_WITH_AS(random_condition_from_name("step"),
                       "random conditions: must be none, constant, exponential or sigmoid (step)", ValueError);
}

TEST_CASE("random conditions: both conditions are replaced together, latents stay") {
  const PointPairs pairs(600);
  const RandomConditionOptions options = listed(RandomConditionKind::sigmoid);
  const Tensor p = random_condition_probability(options, 100);
  const RandomConditions made = apply_random_conditions(pairs.batch, pairs.t, p, RandomKey{4}, options);
  CHECK(bits_of(made.pairs.winners) == bits_of(pairs.batch.winners));
  CHECK(bits_of(made.pairs.losers) == bits_of(pairs.batch.losers));
  const auto labels = [](const Condition& c) { return c.labels.to_vector<int64_t>(); };
  const std::vector<int64_t> c = labels(made.pairs.condition), negative = labels(made.pairs.negative),
                             own = labels(pairs.batch.condition), own_negative = labels(pairs.batch.negative),
                             t = pairs.t.to_vector<int64_t>();
  const std::vector<double> replaced = made.replaced.to_vector<double>(), probability = p.to_vector<double>();
  double expected = 0, variance = 0, count = 0, first = 0;
  for (size_t i = 0; i < c.size(); ++i) {
    if (replaced[i] != 0) {
      CHECK((c[i] == 4 || c[i] == 5));
      CHECK(negative[i] == c[i] - 4);
      ++count, first += c[i] == 4;
    } else {
      CHECK(c[i] == own[i]);
      CHECK(negative[i] == own_negative[i]);
    }
    const double q = probability[size_t(t[i])];
    expected += q, variance += q * (1 - q);
  }
  CHECK(std::abs(count - expected) <= 4 * std::sqrt(variance));
  CHECK(std::abs(first - count / 2) <= 4 * std::sqrt(count) / 2);
  // A sample's draw is its own.
  const Tensor rows = arange(200, 600);
  const RandomConditions part = apply_random_conditions(pairs.batch.take(rows), index_select(pairs.t, 0, rows), p,
                                                        RandomKey{4}.at_sample(200), options);
  CHECK(bits_of(part.pairs.condition.labels) == bits_of(slice(made.pairs.condition.labels, 0, 200, 600)));
}

TEST_CASE("random conditions: what does not fit is named") {
  const PointPairs pairs(4);
  RandomConditionOptions options = listed(RandomConditionKind::constant);
  const Tensor p = random_condition_probability(options, 100);
  PreferencePairs bare = pairs.batch;
  bare.negative = {};
  CHECK_THROWS_WITH_AS(apply_random_conditions(bare, pairs.t, p, RandomKey{1}, options),
                       "random conditions: pairs that keep their prompts need negatives of their own", ValueError);
  options.others_take_noise = true;
  CHECK_NOTHROW(apply_random_conditions(bare, pairs.t, p, RandomKey{1}, options));
  options.negatives = {};
  CHECK_NOTHROW(apply_random_conditions(bare, pairs.t, p, RandomKey{1}, options));
  CHECK_THROWS_WITH_AS(apply_random_conditions(pairs.batch, pairs.t, p, RandomKey{1}, options),
                       "random conditions: the list must hold prompts and as many negatives (2, 0)", ValueError);
  options = listed(RandomConditionKind::constant);
  options.prompts.context = zeros({2, 3, 4});
  CHECK_THROWS_WITH_AS(apply_random_conditions(pairs.batch, pairs.t, p, RandomKey{1}, options),
                       "random conditions: context is present in the list or in the batch, but not in both",
                       ValueError);
}

TEST_CASE("random conditions: a list of one without negatives is the empty prompt") {
  const PointPairs pairs(4000);
  PreferencePairs bare = pairs.batch;
  bare.negative = {};
  const RandomConditionOptions options{.kind = RandomConditionKind::constant,
                                       .probability = 0.2,
                                       .prompts = {.labels = from_vector<int64_t>({77}, {1})}};
  const RandomConditions made =
      apply_random_conditions(bare, pairs.t, random_condition_probability(options, 100), RandomKey{4}, options);
  CHECK_FALSE(made.pairs.negative.labels.defined());
  double empty_prompts = 0;
  for (const int64_t label : made.pairs.condition.labels.to_vector<int64_t>()) empty_prompts += label == 77;
  CHECK(std::abs(empty_prompts / 4000 - 0.2) <= 4 * std::sqrt(0.2 * 0.8 / 4000));
}

TEST_CASE("random conditions: of a prompt's several negatives one is drawn; sizes stay the picture's") {
  PointPairs pairs(3000);
  RandomConditionOptions options{.kind = RandomConditionKind::constant,
                                 .probability = 1,
                                 .prompts = {.labels = from_vector<int64_t>({10, 20, 30}, {3})},
                                 .negatives = {.labels = from_vector<int64_t>({11, 21, 22, 23, 31, 32}, {6})},
                                 .variants = from_vector<int64_t>({1, 3, 2}, {3})};
  pairs.batch.condition.time_ids = pairs.batch.negative.time_ids = randn(RandomKey{8}, {3000, 6});
  options.check();
  const Tensor p = random_condition_probability(options, 100);
  const RandomConditions made = apply_random_conditions(pairs.batch, pairs.t, p, RandomKey{4}, options);
  std::map<int64_t, int64_t> seen;
  const std::vector<int64_t> c = made.pairs.condition.labels.to_vector<int64_t>(),
                             negative = made.pairs.negative.labels.to_vector<int64_t>();
  for (size_t i = 0; i < c.size(); ++i) {
    CHECK(negative[i] / 10 * 10 == c[i]);
    ++seen[negative[i]];
  }
  const double third = 1000;
  for (const auto& [label, share] : std::map<int64_t, double>{{11, 1}, {21, 3}, {22, 3}, {23, 3}, {31, 2}, {32, 2}})
    CHECK(std::abs(double(seen[label]) - third / share) <= 5 * std::sqrt(third / share));
  CHECK(seen.size() == 6);
  CHECK(bits_of(made.pairs.condition.time_ids) == bits_of(pairs.batch.condition.time_ids));
  CHECK(bits_of(made.pairs.negative.time_ids) == bits_of(pairs.batch.condition.time_ids));
  const Tensor rows = arange(500, 3000);
  const RandomConditions part = apply_random_conditions(pairs.batch.take(rows), index_select(pairs.t, 0, rows), p,
                                                        RandomKey{4}.at_sample(500), options);
  CHECK(bits_of(part.pairs.negative.labels) == bits_of(slice(made.pairs.negative.labels, 0, 500, 3000)));
  options.variants = from_vector<int64_t>({1, 3, 3}, {3});
  CHECK_THROWS_WITH_AS(
      options.check(),
      "random conditions: variants must be one a prompt and add up to the negatives; 3 of 3 and 7 of 6", ValueError);
  options.variants = from_vector<int64_t>({1, 5, 0}, {3});
  CHECK_THROWS_AS(options.check(), ValueError);
}

TEST_CASE("random conditions: in the trainer, with nothing replaced a mix with Diffusion-DPO is Diffusion-DPO") {
  const auto weights = [](const char* name, double probability, bool mix) {
    PointPairs pairs(12);
    if (mix) pairs.batch.negative = {};
    PointDenoiser student = small_denoiser(1), initial = small_denoiser(1);
    const auto objective = make_objective(name, {{"beta", "20"}});
    const auto policy = mix ? make_training_free_pair() : make_forward_process_pair();
    AdamW optimizer(parameters(student), {.learning_rate = 1e-2});
    PreferenceTrainerOptions options;
    if (mix) {
      options.random_conditions = listed(RandomConditionKind::constant);
      options.random_conditions.probability = probability;
      options.random_conditions.others_take_noise = true;
    }
    PreferenceTrainer trainer({.student = &student,
                               .initial = &initial,
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &pairs.schedule,
                               .optimizer = &optimizer},
                              options);
    std::vector<double> all;
    for (uint64_t step = 0; step < 3; ++step) trainer.step(pairs.batch, RandomKey{3}.at_step(step));
    for (const NamedParameter& entry : parameters(student))
      for (const double w : entry.parameter->value().to_vector<double>()) all.push_back(w);
    return all;
  };
  const std::vector<double> dpo = weights("diffusion_dpo", 0, false), mix = weights("ddspo", 0, true),
                            half = weights("ddspo", 0.5, true);
  double worst = 0, changed = 0;
  for (size_t i = 0; i < dpo.size(); ++i) {
    worst = std::max(worst, std::abs(mix[i] - dpo[i]));
    changed = std::max(changed, std::abs(half[i] - dpo[i]));
  }
  // The frozen forward has other rows beside it, which may round differently; Adam divides by gradients near zero.
  CHECK(worst <= 1e-4);
  CHECK(changed > 1e-3);
}

TEST_CASE("perturb_init: DSPO-ref stays at the reference without it and leaves it with it") {
  PointPairs pairs(12);
  PointDenoiser initial = small_denoiser(1);
  for (const double deviation : {0.0, 0.01}) {
    PointDenoiser student = small_denoiser(1);
    perturb_weights(parameters(student), deviation, RandomKey{5}.fork("perturb_init"));
    double squares = 0, count = 0;
    const ParameterList a = parameters(student), b = parameters(initial);
    for (size_t i = 0; i < a.size(); ++i) {
      const Tensor difference = a[i].parameter->value() - b[i].parameter->value();
      for (const double d : difference.to_vector<double>()) squares += d * d, ++count;
    }
    CHECK(std::sqrt(squares / count) == doctest::Approx(deviation).epsilon(0.1));
    const auto objective = make_objective("dspo_ref", {{"lambda", "0.5"}});
    const auto policy = make_forward_process_pair();
    Adam optimizer(a, {.learning_rate = 1e-3});
    PreferenceTrainer trainer({.student = &student,
                               .initial = &initial,
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &pairs.schedule,
                               .optimizer = &optimizer});
    const StepStatistics statistics = step_statistics(trainer.step(pairs.batch, RandomKey{3}));
    CHECK((statistics.grad_norm == 0) == (deviation == 0));
    CHECK((statistics.loss == 0) == (deviation == 0));
  }
  CHECK_THROWS_AS(perturb_weights(parameters(initial), -1, RandomKey{1}), ValueError);
}
