#include "align/policy_pair.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Bits of loss, logits and every gradient of the student.
std::string outcome_bits(const PreferenceStep& step, const PointPairs& pairs) {
  zero_grad(*step.student);
  const ObjectiveOutput out = step(pairs.batch, pairs.t, pairs.noise);
  backward(out.loss);
  std::string bits = bits_of(out.loss.value()) + bits_of(out.logit) + bits_of(out.error) + bits_of(out.ref_error);
  for (const NamedParameter& entry : parameters(*step.student)) bits += bits_of(entry.parameter->grad());
  return bits;
}

}  // namespace

TEST_CASE("policy pair: DDSPO of the forward process is Diffusion-DPO through a network, to the last bit") {
  const PointPairs pairs(33);
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2);
  const auto forward_process = make_forward_process_pair();
  const auto dpo = make_objective("diffusion_dpo", {{"beta", "20"}}), ddspo = make_objective("ddspo", {{"beta", "20"}});
  PreferenceStep step{.student = &student,
                      .reference = &reference,
                      .initial = &reference,
                      .objective = dpo.get(),
                      .policy = forward_process.get(),
                      .schedule = &pairs.schedule};
  const std::string expected = outcome_bits(step, pairs);
  step.objective = ddspo.get();
  CHECK(outcome_bits(step, pairs) == expected);
}

TEST_CASE("policy pair: training-free targets are the initial model's outputs, c for winners and c- for losers") {
  const PointPairs pairs(12);
  PointDenoiser student = small_denoiser(1), initial = small_denoiser(2), reference = small_denoiser(3);
  const auto policy = make_training_free_pair();
  REQUIRE(policy->reads_initial_prediction());
  const auto objective = make_objective("ddspo", {{"beta", "20"}});
  const PreferenceStep step{.student = &student,
                            .reference = &reference,
                            .initial = &initial,
                            .objective = objective.get(),
                            .policy = policy.get(),
                            .schedule = &pairs.schedule};
  const PairDraw draw{.t = pairs.t, .noise = pairs.noise};
  const NoisedPairs noised = noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, draw);
  const Tensor time = noised.t.to(DType::f32);
  const Tensor losing =
      initial.predict(noised.x, time, Condition::cat(pairs.batch.condition, pairs.batch.negative)).value();
  CHECK(bits_of(step.evaluate(pairs.batch, draw).target) == bits_of(losing));
  // The condition matters: with c the loser's target would be another one.
  CHECK(bits_of(losing) != bits_of(initial.predict(noised.x, time, noised.condition).value()));

  PreferencePairs unconditional = pairs.batch;
  unconditional.negative = {};
  CHECK_THROWS_WITH_AS(step.evaluate(unconditional, draw),
                       "policy pair: the initial model's targets need the pairs' negative conditions", ValueError);
}

TEST_CASE("policy pair: the oracle's targets are the closed form of each sample's clean mode") {
  const PointPairs pairs(12, DType::f64);
  const auto policy = make_oracle_pair(pairs.world, pairs.schedule);
  const NoisedPairs noised =
      noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, {.t = pairs.t, .noise = pairs.noise});
  const std::vector<double> targets = policy->targets(noised, {}).to_vector<double>(), x = noised.x.to_vector<double>();
  const std::vector<int64_t> t = noised.t.to_vector<int64_t>();
  for (size_t i = 0; i < 24; ++i) {
    // One Gaussian: score = (alpha c - x) / (alpha^2 s^2 + sigma^2); winner i is of class i mod 6, its loser of the
    // next.
    const auto center = pairs.world.center(int64_t(i < 12 ? i % 6 : (i - 12 + 1) % 6));
    const double abar = pairs.schedule.alpha_cumprod(t[i]), width = pairs.world.options().sigma;
    const double variance = abar * width * width + 1 - abar;
    for (size_t d = 0; d < 2; ++d) {
      const double expected = -std::sqrt(1 - abar) * (std::sqrt(abar) * center[d] - x[2 * i + d]) / variance;
      CHECK(std::abs(targets[2 * i + d] - expected) <= 1e-12 * (1 + std::abs(expected)));
    }
  }
  NoisedPairs unlabelled = noised;
  unlabelled.negative = {};
  CHECK_THROWS_AS(policy->targets(unlabelled, {}), ValueError);
}

TEST_CASE("policy pair: no gradient reaches the models that targets come from") {
  const PointPairs pairs(8);
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2), initial = small_denoiser(3);
  const auto policy = make_training_free_pair();
  const auto objective = make_objective("ddspo", {{"beta", "20"}});
  const PreferenceStep step{.student = &student,
                            .reference = &reference,
                            .initial = &initial,
                            .objective = objective.get(),
                            .policy = policy.get(),
                            .schedule = &pairs.schedule};
  backward(step(pairs.batch, pairs.t, pairs.noise).loss);
  for (const NamedParameter& entry : parameters(student)) CHECK(entry.parameter->grad().defined());
  for (PointDenoiser* frozen : {&reference, &initial})
    for (const NamedParameter& entry : parameters(*frozen)) CHECK_FALSE(entry.parameter->grad().defined());
}
