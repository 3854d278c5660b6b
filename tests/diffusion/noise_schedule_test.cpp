#include "diffusion/schedule/noise_schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("noise schedule: cumulative products equal diffusers' float32 tables") {
  const NoiseSchedule scaled({1000, BetaSchedule::scaled_linear, 0.00085, 0.012});
  auto close = [](double got, double expected) { return std::abs(got - expected) <= 2e-7 * expected; };
  CHECK(close(scaled.alpha_cumprod(0), 0.999149978));
  CHECK(close(scaled.alpha_cumprod(1), 0.998296022));
  CHECK(close(scaled.alpha_cumprod(499), 0.27766946));
  CHECK(close(scaled.alpha_cumprod(500), 0.276332498));
  CHECK(close(scaled.alpha_cumprod(981), 0.00577549683));
  CHECK(close(scaled.alpha_cumprod(999), 0.00466009602));
  const NoiseSchedule linear({1000, BetaSchedule::linear, 1e-4, 0.02});
  CHECK(close(linear.alpha_cumprod(500), 0.07779666));
  CHECK(close(linear.alpha_cumprod(999), 4.0358307e-05));
}

TEST_CASE("noise schedule: cosine betas follow the definition and are capped") {
  const NoiseSchedule cosine({1000, BetaSchedule::squaredcos_cap_v2});
  auto abar = [](double u) { return std::pow(std::cos((u + 0.008) / 1.008 * 3.14159265358979323846 / 2), 2); };
  for (int64_t t : {0, 1, 17, 500, 900})
    CHECK(std::abs(cosine.beta(t) - (1 - abar(double(t + 1) / 1000) / abar(double(t) / 1000))) <= 1e-7);
  CHECK(cosine.beta(999) == doctest::Approx(0.999));
}

TEST_CASE("noise schedule: level looks up alpha and sigma per sample") {
  const NoiseSchedule schedule({100, BetaSchedule::linear, 1e-3, 0.2});
  const NoiseLevel level = schedule.level(from_vector<int64_t>({0, 99, 50}, {3}), 4, DType::f64);
  CHECK(level.alpha.shape() == Shape({3, 1, 1, 1}));
  const std::vector<double> alpha = level.alpha.to_vector<double>(), sigma = level.sigma.to_vector<double>();
  for (size_t i = 0; i < 3; ++i) CHECK(std::abs(alpha[i] * alpha[i] + sigma[i] * sigma[i] - 1) <= 1e-15);
  CHECK(std::abs(alpha[1] * alpha[1] - schedule.alpha_cumprod(99)) <= 1e-15);
}

TEST_CASE("noise schedule: rejects impossible settings and timesteps") {
  CHECK_THROWS_WITH_AS(NoiseSchedule({0, BetaSchedule::linear, 1e-4, 0.02}),
                       "noise schedule: num_train_timesteps must be at least 1 (0)", ValueError);
  CHECK_THROWS_AS(NoiseSchedule({10, BetaSchedule::linear, 0.02, 1e-4}), ValueError);
  CHECK_THROWS_AS(NoiseSchedule({10, BetaSchedule::linear, -0.1, 0.02}), ValueError);
  const NoiseSchedule schedule({100, BetaSchedule::linear, 1e-3, 0.2});
  CHECK_THROWS_WITH_AS(schedule.level(from_vector<int64_t>({100}, {1}), 2),
                       "noise schedule: t must be in [-1, 100) (100)", IndexError);
  CHECK_THROWS_AS(schedule.beta(-1), IndexError);
}

TEST_CASE("noise schedule: one timestep is allowed") {
  const NoiseSchedule schedule({1, BetaSchedule::linear, 0.01, 0.02});
  CHECK(schedule.beta(0) == doctest::Approx(0.01));
}

TEST_CASE("noise schedule: flow matching's levels, network times and errors") {
  const NoiseSchedule plain = NoiseSchedule::flow(1000), shifted = NoiseSchedule::flow(1000, 3);
  CHECK(plain.is_flow());
  CHECK(plain.num_train_timesteps() == 1000);
  const Tensor t = from_vector<int64_t>({0, 499, 999}, {3});
  const std::vector<double> sigma = plain.level(t, 2, DType::f64).sigma.to_vector<double>(),
                            alpha = plain.level(t, 2, DType::f64).alpha.to_vector<double>(),
                            moved = shifted.level(t, 2, DType::f64).sigma.to_vector<double>(),
                            time = shifted.network_time(t).to_vector<double>();
  const double u[] = {0.001, 0.5, 1};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::abs(sigma[i] - u[i]) <= 1e-7);
    CHECK(alpha[i] == 1 - sigma[i]);
    CHECK(std::abs(moved[i] - 3 * u[i] / (1 + 2 * u[i])) <= 1e-7);
    CHECK(std::abs(time[i] - 1000 * moved[i]) <= 1e-4);
  }
  CHECK(std::abs(plain.alpha_cumprod(499) - 0.5) <= 1e-7);  // equal parts: SNR 1
  CHECK(plain.alpha_cumprod(-1) == 1);
  CHECK_THROWS_WITH_AS(plain.beta(0), "noise schedule: flow has no beta", ValueError);
  CHECK_THROWS_WITH_AS(NoiseSchedule::flow(10, 0), "flow schedule: shift must be positive (0)", ValueError);
  CHECK_THROWS_AS(NoiseSchedule::flow(0), ValueError);
  for (int64_t outside : {-1, 1000}) {
    CHECK_THROWS_AS(plain.network_time(from_vector<int64_t>({outside}, {1})), IndexError);
    CHECK_THROWS_AS(plain.level(from_vector<int64_t>({outside}, {1}), 2), IndexError);
  }
  // A variance-preserving schedule tells networks t itself.
  CHECK(NoiseSchedule(NoiseScheduleOptions{}).network_time(t).to_vector<double>() == std::vector<double>{0, 499, 999});
}
