// Preference fine-tuning of flow-matching and velocity networks.

#include <doctest/doctest.h>

#include <cmath>

#include "align/preference_trainer.h"
#include "align/reward_scale.h"
#include "autograd/backward.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("flow: pairs lie on the line between data and noise, and networks are told T s") {
  const PointPairs pairs(9, DType::f64);
  const NoiseSchedule flow = NoiseSchedule::flow(100, 3);
  const NoisedPairs noised = noise_pairs(flow, Prediction::flow, pairs.batch, {.t = pairs.t, .noise = pairs.noise});
  const std::vector<double> x = noised.x.to_vector<double>(), target = noised.target.to_vector<double>(),
                            x0 = cat({pairs.batch.winners, pairs.batch.losers}, 0).to_vector<double>(),
                            noise = cat({pairs.noise, pairs.noise}, 0).to_vector<double>(),
                            time = noised.time.to_vector<double>();
  const std::vector<int64_t> t = noised.t.to_vector<int64_t>();
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = double(t[i / 2] + 1) / 100, s = 3 * u / (1 + 2 * u);
    CHECK(std::abs(time[i / 2] - 100 * s) <= 1e-4);
    CHECK(std::abs(x[i] - ((1 - s) * x0[i] + s * noise[i])) <= 1e-6 * (1 + std::abs(x[i])));
    CHECK(target[i] == noise[i] - x0[i]);
  }
}

TEST_CASE("flow: precondition multiplies every error by s squared") {
  const PointPairs pairs(9, DType::f64);
  const NoiseSchedule flow = NoiseSchedule::flow(100);
  PointDenoiser student = small_denoiser(1), initial = small_denoiser(2);
  to_dtype(student, DType::f64);
  to_dtype(initial, DType::f64);
  for (const char* name : {"ddspo", "sft", "dspo_e"}) {
    CAPTURE(name);
    const auto objective = make_objective(name);
    const auto policy = make_training_free_pair();
    PreferenceStep step{.student = &student,
                        .reference = &initial,
                        .initial = &initial,
                        .objective = objective.get(),
                        .policy = policy.get(),
                        .schedule = &flow,
                        .prediction = Prediction::flow};
    const std::vector<double> plain = step(pairs.batch, pairs.t, pairs.noise).error.to_vector<double>();
    step.precondition = true;
    const std::vector<double> clean = step(pairs.batch, pairs.t, pairs.noise).error.to_vector<double>();
    const std::vector<int64_t> t = pairs.t.to_vector<int64_t>();
    for (size_t i = 0; i < plain.size(); ++i) {
      const double s = double(t[i % 9] + 1) / 100;
      CHECK(std::abs(clean[i] - s * s * plain[i]) <= 1e-6 * plain[i]);
    }
    // The target of a preconditioned forward process is the clean sample itself.
    const auto forward_process = make_forward_process_pair();
    step.policy = forward_process.get();
    const std::vector<double> target =
        step.evaluate(pairs.batch, {.t = pairs.t, .noise = pairs.noise}).target.to_vector<double>();
    const std::vector<double> x0 = cat({pairs.batch.winners, pairs.batch.losers}, 0).to_vector<double>();
    for (size_t i = 0; i < target.size(); ++i) CHECK(std::abs(target[i] - x0[i]) <= 1e-12 + 1e-6 * std::abs(x0[i]));
    step.prediction = Prediction::v_prediction;
    CHECK_THROWS_WITH_AS(step(pairs.batch, pairs.t, pairs.noise),
                         "preference step: precondition is for flow_prediction (v_prediction)", ValueError);
  }
}

TEST_CASE("flow: the trainer runs with every density, scale and wrapper, and improves on its batch") {
  for (const TimestepSampling kind :
       {TimestepSampling::uniform, TimestepSampling::aware, TimestepSampling::logit_normal, TimestepSampling::mode}) {
    CAPTURE(name_of(kind));
    const PointPairs pairs(32);
    const NoiseSchedule flow = NoiseSchedule::flow(100, 3);
    PointDenoiser student = small_denoiser(1), initial = small_denoiser(1);
    const auto objective = make_objective("diffusion_dpo", {{"beta", "20"}});
    const auto policy = make_forward_process_pair();
    AdamW optimizer(parameters(student), {.learning_rate = 1e-2});
    PreferenceTrainer trainer(
        {.student = &student,
         .initial = &initial,
         .objective = objective.get(),
         .policy = policy.get(),
         .schedule = &flow,
         .optimizer = &optimizer},
        {.prediction = Prediction::flow, .timesteps = {.kind = kind}, .reward_scale = RewardScale::minmax});
    StepStatistics last;
    for (int step = 0; step < 60; ++step) last = step_statistics(trainer.step(pairs.batch, RandomKey{3}));
    CHECK(last.loss < 0.6);
    CHECK(*last.implicit_accuracy > 0.6);
  }
}

TEST_CASE("flow: the reward scale is finite at s = 1, and the oracle refuses flow") {
  const NoiseSchedule flow = NoiseSchedule::flow(10);
  CHECK(flow.alpha_cumprod(9) == 0);
  const std::vector<double> lambda = reward_scale(flow.alphas_cumprod(), RewardScale::minmax).to_vector<double>();
  for (size_t t = 1; t < 10; ++t) CHECK(lambda[t] > lambda[t - 1]);
  CHECK(lambda[9] == 2);
  const Gaussians2d world;
  CHECK_THROWS_AS(make_oracle_pair(world, flow), ValueError);
}

TEST_CASE("v networks: errors are those of the velocity target") {
  const PointPairs pairs(5, DType::f64);
  PointDenoiser student = small_denoiser(1);
  to_dtype(student, DType::f64);
  const auto objective = make_objective("sft");
  const PreferenceStep step{.student = &student,
                            .objective = objective.get(),
                            .schedule = &pairs.schedule,
                            .prediction = Prediction::v_prediction};
  const ObjectiveInput input = step.evaluate(pairs.batch, {.t = pairs.t, .noise = pairs.noise});
  const std::vector<double> target = input.target.to_vector<double>(), noise = pairs.noise.to_vector<double>(),
                            x0 = pairs.batch.winners.to_vector<double>();
  const std::vector<int64_t> t = pairs.t.to_vector<int64_t>();
  for (size_t i = 0; i < target.size(); ++i) {
    const double abar = pairs.schedule.alpha_cumprod(t[i / 2]);
    CHECK(std::abs(target[i] - (std::sqrt(abar) * noise[i] - std::sqrt(1 - abar) * x0[i])) <= 1e-12);
  }
}
