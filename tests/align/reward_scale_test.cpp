#include "align/reward_scale.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "diffusion/schedule/noise_schedule.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/align/objectives/objective_case.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("reward scale: closed form of each norm") {
  // sqrt((1 - abar) / abar) = 1/2, 1, 2.
  const Tensor abar = from_vector<double>({0.8, 0.5, 0.2}, {3});
  const auto check = [&](RewardScale norm, std::vector<double> expected) {
    const std::vector<double> lambda = reward_scale(abar, norm).to_vector<double>();
    for (size_t t = 0; t < 3; ++t) CHECK(std::abs(lambda[t] - expected[t]) <= 1e-14);
  };
  check(RewardScale::none, {1, 1, 1});
  check(RewardScale::minmax, {1, 1 + 1.0 / 3, 2});
  check(RewardScale::max, {1.25, 1.5, 2});
  check(RewardScale::mean, {1 + 0.5 / (3.5 / 3), 1 + 1 / (3.5 / 3), 1 + 2 / (3.5 / 3)});
}

TEST_CASE("reward scale: on Stable Diffusion's schedule minmax rises from 1 to 2") {
  const NoiseSchedule schedule({1000, BetaSchedule::scaled_linear, 0.00085, 0.012});
  const std::vector<double> lambda = reward_scale(schedule.alphas_cumprod(), RewardScale::minmax).to_vector<double>();
  CHECK(lambda.front() == 1);
  CHECK(lambda.back() == 2);
  CHECK(std::is_sorted(lambda.begin(), lambda.end()));
  const double abar = schedule.alpha_cumprod(500), last = schedule.alpha_cumprod(999),
               first = schedule.alpha_cumprod(0);
  const auto x = [](double a) { return std::sqrt((1 - a) / a); };
  CHECK(std::abs(lambda[500] - (1 + (x(abar) - x(first)) / (x(last) - x(first)))) <= 1e-12);
}

TEST_CASE("reward scale: finite at zero terminal SNR and on one timestep") {
  const std::vector<double> lambda =
      reward_scale(from_vector<double>({1.0, 0.5, 0.0}, {3}), RewardScale::minmax).to_vector<double>();
  CHECK(lambda[0] == 1);
  CHECK(std::abs(lambda[1] - (1 + 1e-3)) <= 1e-12);  // 1 of at most 1 / sqrt(kLeastSnr) = 1000
  CHECK(lambda[2] == 2);
  CHECK(reward_scale(from_vector<double>({0.5}, {1}), RewardScale::minmax).item() == 1);
  CHECK(reward_scale(from_vector<double>({1.0}, {1}), RewardScale::max).item() == 1);
}

TEST_CASE("reward scale: names and errors") {
  for (RewardScale norm : {RewardScale::none, RewardScale::minmax, RewardScale::max, RewardScale::mean})
    CHECK(reward_scale_from_name(name_of(norm)) == norm);
  CHECK_THROWS_WITH_AS(reward_scale_from_name("sum"), "reward scale: must be none, minmax, max or mean (sum)",
                       ValueError);
  CHECK_THROWS_AS(reward_scale(from_vector<double>({1.5}, {1}), RewardScale::max), ValueError);
  CHECK_THROWS_AS(reward_scale(zeros({2, 2}), RewardScale::max), ShapeError);
}

TEST_CASE("logit scale: multiplies each logit of every objective that has one, and is unread by the others") {
  const ObjectiveCase c = make_case(3);
  for (const ObjectiveEntry& entry : objective_table()) {
    CAPTURE(entry.name);
    const bool has_beta = entry.name != std::string_view("sft") && entry.name != std::string_view("mapo");
    const auto objective =
        make_objective(entry.name, has_beta ? ObjectiveSettings{{"beta", "1.5"}} : ObjectiveSettings{});
    ObjectiveInput input{.pred = Variable(c.pred), .ref = c.ref, .target = c.target};
    const ObjectiveOutput plain = (*objective)(input);
    const int64_t count = plain.logit.defined() ? plain.logit.numel() : 3;
    input.logit_scale = full({count}, 2.0, DType::f64);
    const ObjectiveOutput scaled = (*objective)(input);
    input.logit_scale = full({count}, 1.0, DType::f64);
    const ObjectiveOutput once = (*objective)(input);
    CHECK(once.loss.value().item() == plain.loss.value().item());
    if (!plain.logit.defined()) {
      CHECK(scaled.loss.value().item() == plain.loss.value().item());
      continue;
    }
    const std::vector<double> z = plain.logit.to_vector<double>(), twice = scaled.logit.to_vector<double>();
    for (size_t i = 0; i < z.size(); ++i) CHECK(twice[i] == 2 * z[i]);
    CHECK(scaled.loss.value().item() != plain.loss.value().item());
    input.logit_scale = full({count + 1}, 1.0, DType::f64);
    CHECK_THROWS_AS((*objective)(input), ShapeError);
  }
}
