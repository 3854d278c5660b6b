#include "align/worlds/gaussians2d.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops/random/random.h"

using namespace plumb;

namespace {

NoiseSchedule toy_schedule() { return NoiseSchedule({100, BetaSchedule::linear, 1e-3, 0.2}); }

double log_density_at(const Mixture2d& mixture, double x, double y, double abar) {
  return mixture.log_density(from_vector<double>({x, y}, {1, 2}), abar).item();
}

}  // namespace

TEST_CASE("mixture: the score is the gradient of the log density at every noise level") {
  const Mixture2d mixture({{0.7, {2.0, 0.1}}, {0.2, {-1.0, 1.7}}, {0.1, {0.3, -2.0}}}, 0.45);
  const double h = 1e-5;
  for (double abar : {1.0, 0.9, 0.3, 0.001})
    for (const auto& [x, y] : {std::pair{0.3, 0.4}, std::pair{-2.0, 1.1}, std::pair{1.9, 0.0}}) {
      const auto score = mixture.score({x, y}, abar);
      const double dx = (log_density_at(mixture, x + h, y, abar) - log_density_at(mixture, x - h, y, abar)) / (2 * h);
      const double dy = (log_density_at(mixture, x, y + h, abar) - log_density_at(mixture, x, y - h, abar)) / (2 * h);
      CHECK(std::abs(score[0] - dx) <= 1e-7 * (1 + std::abs(dx)));
      CHECK(std::abs(score[1] - dy) <= 1e-7 * (1 + std::abs(dy)));
    }
}

TEST_CASE("mixture: the density integrates to one") {
  const Mixture2d mixture({{1, {0.5, 0}}, {3, {-0.5, 0.2}}}, 0.4);  // weights are normalised
  const double step = 0.05;
  for (double abar : {1.0, 0.5}) {
    double mass = 0;
    for (double x = -6; x < 6; x += step)
      for (double y = -6; y < 6; y += step) mass += std::exp(log_density_at(mixture, x, y, abar)) * step * step;
    CHECK(std::abs(mass - 1) <= 1e-6);
  }
}

TEST_CASE("mixture: far from every mode the score stays finite and points home") {
  const Mixture2d mixture({{1, {1, 0}}, {1, {-1, 0}}}, 0.1);
  const auto score = mixture.score({1e4, 0}, 1);
  CHECK(std::isfinite(score[0]));
  CHECK(score[0] < 0);
}

TEST_CASE("gaussians2d: the noisy set has the analytic spread and contamination") {
  const Gaussians2d world;
  const int64_t count = 40000;
  const Tensor labels = full({count}, 2, DType::i64);
  const std::vector<double> x = world.sample_noisy(labels, RandomKey{3}).to_vector<double>();
  double mean[2] = {}, square = 0;
  int64_t near_own = 0;
  for (int64_t i = 0; i < 2 * count; ++i) mean[i % 2] += x[size_t(i)] / double(count);
  for (int64_t i = 0; i < 2 * count; ++i) square += std::pow(x[size_t(i)] - mean[i % 2], 2);
  for (int64_t i = 0; i < count; ++i)
    near_own += std::hypot(x[size_t(2 * i)] - world.center(2)[0], x[size_t(2 * i + 1)] - world.center(2)[1]) < 1;
  // sqrt(trace / 2) / sigma with trace = 2 (1.5 * 0.3)^2 + 1.11, four standard errors
  CHECK(std::abs(std::sqrt(square / (2.0 * double(count))) / 0.3 - 2.901) <= 0.04);
  CHECK(std::abs(double(near_own) / double(count) - 0.7 * (1 - std::exp(-1 / (2 * 0.45 * 0.45)))) <= 0.03);
}

TEST_CASE("gaussians2d: a sample depends on its key and row alone") {
  const Gaussians2d world;
  const Tensor many = world.sample_noisy(labels_by_class(6, 10), RandomKey{5});
  const Tensor few = world.sample_noisy(from_vector<int64_t>({0, 0, 0}, {3}), RandomKey{5});
  for (int64_t i = 0; i < 6; ++i) CHECK(many.data<float>()[i] == few.data<float>()[i]);
}

TEST_CASE("gaussians2d: exact noise is minus sigma times the score") {
  const Gaussians2d world;
  const NoiseSchedule schedule = toy_schedule();
  const Tensor x = randn(RandomKey{11}, {4, 2}, DType::f64);
  const Tensor t = from_vector<int64_t>({0, 10, 50, 99}, {4}), labels = from_vector<int64_t>({0, 1, 2, 5}, {4});
  const std::vector<double> noise = world.noisy_noise(schedule, x, t, labels).to_vector<double>();
  for (size_t i = 0; i < 4; ++i) {
    const double abar = schedule.alpha_cumprod(t.data<int64_t>()[i]);
    const auto score =
        world.noisy(labels.data<int64_t>()[i]).score({x.data<double>()[2 * i], x.data<double>()[2 * i + 1]}, abar);
    CHECK(std::abs(noise[2 * i] + std::sqrt(1 - abar) * score[0]) <= 1e-12);
    CHECK(std::abs(noise[2 * i + 1] + std::sqrt(1 - abar) * score[1]) <= 1e-12);
  }
}

TEST_CASE("gaussians2d: two classes are each other's only neighbour; one is refused") {
  const Gaussians2d world({.classes = 2});
  CHECK(world.neighbor(0, 0) == 1);
  CHECK(world.neighbor(0, 1) == 1);
  CHECK_THROWS_WITH_AS(Gaussians2d({.classes = 1}),
                       "gaussians2d: classes must be at least 2, a class needs a neighbour (1)", ValueError);
  CHECK_THROWS_AS(Gaussians2d({.classes = 0}), ValueError);
  CHECK_THROWS_AS(Gaussians2d({.sigma = 0}), ValueError);
  CHECK_THROWS_AS(Gaussians2d({.noise_fraction = 1.5}), ValueError);
  CHECK_THROWS_WITH_AS(world.sample_clean(from_vector<int64_t>({2}, {1}), RandomKey{0}),
                       "gaussians2d: labels must be in [0, 2) (2)", IndexError);
}
