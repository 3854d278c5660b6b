#include "align/timestep_sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<double> probabilities(const TimestepSamplerOptions& options, int64_t timesteps) {
  return TimestepSampler(options, timesteps).probabilities().to_vector<double>();
}

}  // namespace

TEST_CASE("timestep sampler: gamma = 1 is the uniform distribution, its draws included, for any number of bins") {
  for (int64_t bins : {1, 7, 50, 100, 130}) {
    CAPTURE(bins);
    const TimestepSampler uniform({}, 100), aware({.kind = TimestepSampling::aware, .gamma = 1, .bins = bins}, 100);
    CHECK(bits_of(uniform.probabilities()) == bits_of(aware.probabilities()));
    const RandomKey key = RandomKey{5}.at_step(3).at_sample(11);
    const Tensor draws = randint(key.fork("t"), 0, 100, {64});
    CHECK(bits_of(uniform.draw(key, 64)) == bits_of(draws));
    CHECK(bits_of(aware.draw(key, 64)) == bits_of(draws));
  }
  // What the general path would give is uniform, too.
  for (double p : probabilities({.kind = TimestepSampling::aware, .gamma = 1 - 1e-13, .bins = 7}, 100))
    CHECK(std::abs(p - 0.01) <= 1e-12);
}

TEST_CASE("timestep sampler: aware weighs equal intervals by powers of gamma, from the noisiest") {
  // T = 10, 5 bins of two timesteps each: weights 1, 1/2, … shared by two.
  const std::vector<double> p = probabilities({.kind = TimestepSampling::aware, .gamma = 0.5, .bins = 5}, 10);
  const double total = 1 + 0.5 + 0.25 + 0.125 + 0.0625;
  for (int64_t t = 0; t < 10; ++t)
    CHECK(std::abs(p[size_t(t)] - std::pow(0.5, double((9 - t) / 2)) / total / 2) <= 1e-15);
  // The paper's literal Cat(gamma^t): as many bins as timesteps; 65% of the draws in the noisiest 1% of 1000 steps.
  const std::vector<double> literal = probabilities({.kind = TimestepSampling::aware, .bins = 1000}, 1000);
  CHECK(std::abs(std::accumulate(literal.end() - 10, literal.end(), 0.0) - (1 - std::pow(0.9, 10))) <= 1e-12);
  // By default 65% in the noisiest 20%.
  const std::vector<double> ours = probabilities({.kind = TimestepSampling::aware}, 1000);
  CHECK(std::abs(std::accumulate(ours.end() - 200, ours.end(), 0.0) -
                 (1 - std::pow(0.9, 10)) / (1 - std::pow(0.9, 50))) <= 1e-12);
}

TEST_CASE("timestep sampler: a timestep that a border cuts belongs to both intervals in proportion") {
  // T = 3, 2 bins: [0, 1.5) has weight 1/2, [1.5, 3) weight 1; each unit of length of a bin 2/3 of its weight.
  const std::vector<double> p = probabilities({.kind = TimestepSampling::aware, .gamma = 0.5, .bins = 2}, 3);
  const double total = 1.5;
  CHECK(std::abs(p[0] - 0.5 * (2.0 / 3) / total) <= 1e-15);
  CHECK(std::abs(p[1] - 0.75 * (2.0 / 3) / total) <= 1e-15);
  CHECK(std::abs(p[2] - 1.0 * (2.0 / 3) / total) <= 1e-15);
  for (int64_t bins : {3, 7, 64, 997, 2500})
    for (double value : probabilities({.kind = TimestepSampling::aware, .gamma = 0.99, .bins = bins}, 1000))
      CHECK(value > 0);
}

TEST_CASE("timestep sampler: linear falls with t, sigmoid rises around 0.7 T") {
  const std::vector<double> linear = probabilities({.kind = TimestepSampling::linear}, 4);
  for (size_t t = 0; t < 4; ++t) CHECK(std::abs(linear[t] - double(4 - t) / 10) <= 1e-15);
  const std::vector<double> sigmoid = probabilities({.kind = TimestepSampling::sigmoid}, 1000);
  CHECK(std::abs(std::accumulate(sigmoid.begin(), sigmoid.end(), 0.0) - 1) <= 1e-12);
  CHECK(std::abs(sigmoid[700] / sigmoid[999] - 0.5 * (1 + std::exp(-20 * 0.299))) <= 1e-12);
  CHECK(std::abs(sigmoid[300] / sigmoid[700] - 2 / (1 + std::exp(8.0))) <= 1e-12);
}

TEST_CASE("timestep sampler: densities of flow matching by closed form and by quadrature") {
  const std::vector<double> logit =
      probabilities({.kind = TimestepSampling::logit_normal, .mean = 0.3, .deviation = 0.8}, 20);
  const std::vector<double> mode = probabilities({.kind = TimestepSampling::mode, .mode_scale = 1.29}, 20);
  // The index counts from the noisiest. Quadrature over the density of the uniform (or normal) draw.
  constexpr int kPoints = 400000;
  std::vector<double> counted_logit(20, 0), counted_mode(20, 0);
  for (int i = 0; i < kPoints; ++i) {
    const double u = (i + 0.5) / kPoints, cosine = std::cos(std::acos(-1.0) * u / 2);
    const double f = 1 - u - 1.29 * (cosine * cosine - 1 + u);
    counted_mode[19 - size_t(f * 20)] += 1.0 / kPoints;
    const double x = -8 + 16 * u, density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)) * 16;
    const double p = 1 / (1 + std::exp(-(0.3 + 0.8 * x)));
    counted_logit[19 - size_t(p * 20)] += density / kPoints;
  }
  for (size_t t = 0; t < 20; ++t) {
    CHECK(std::abs(mode[t] - counted_mode[t]) <= 1e-5);
    CHECK(std::abs(logit[t] - counted_logit[t]) <= 1e-4);
  }
  CHECK(std::abs(std::accumulate(logit.begin(), logit.end(), 0.0) - 1) <= 1e-12);
  for (double p : probabilities({.kind = TimestepSampling::mode, .mode_scale = 0}, 20))
    CHECK(std::abs(p - 0.05) <= 1e-12);
  CHECK_THROWS_AS(TimestepSampler({.mode_scale = 2}, 10), ValueError);
  CHECK_THROWS_AS(TimestepSampler({.deviation = 0}, 10), ValueError);
}

TEST_CASE("timestep sampler: draws follow the probabilities") {
  constexpr int64_t kDraws = 200000, kTimesteps = 60;
  for (const TimestepSamplerOptions& options :
       {TimestepSamplerOptions{}, TimestepSamplerOptions{.kind = TimestepSampling::aware, .gamma = 0.8, .bins = 7},
        TimestepSamplerOptions{.kind = TimestepSampling::linear},
        TimestepSamplerOptions{.kind = TimestepSampling::sigmoid},
        TimestepSamplerOptions{.kind = TimestepSampling::logit_normal, .mean = 0.5, .deviation = 0.8},
        TimestepSamplerOptions{.kind = TimestepSampling::mode}}) {
    CAPTURE(name_of(options.kind));
    const TimestepSampler sampler(options, kTimesteps);
    std::vector<double> counts(size_t(kTimesteps), 0);
    for (const int64_t t : sampler.draw(RandomKey{9}, kDraws).to_vector<int64_t>()) {
      REQUIRE(t >= 0);
      REQUIRE(t < kTimesteps);
      ++counts[size_t(t)];
    }
    const std::vector<double> p = sampler.probabilities().to_vector<double>();
    // Chi-square over the timesteps expected at least 5 times; the others are pooled.
    double chi = 0, rest_expected = 0, rest = 0, cells = 0;
    for (size_t t = 0; t < p.size(); ++t) {
      const double expected = p[t] * kDraws;
      if (expected < 5) {
        rest_expected += expected, rest += counts[t];
        continue;
      }
      chi += (counts[t] - expected) * (counts[t] - expected) / expected, ++cells;
    }
    if (rest_expected > 0) chi += (rest - rest_expected) * (rest - rest_expected) / rest_expected, ++cells;
    // Mean cells - 1, variance twice that; the seed is fixed.
    CHECK(chi < cells - 1 + 4 * std::sqrt(2 * (cells - 1)));
  }
}

TEST_CASE("timestep sampler: a draw belongs to its sample, not to the batch") {
  const TimestepSampler sampler({.kind = TimestepSampling::aware}, 1000);
  const RandomKey key{3};
  CHECK(bits_of(slice(sampler.draw(key, 40), 0, 12, 40)) == bits_of(sampler.draw(key.at_sample(12), 28)));
  CHECK(sampler.draw(key, 0).numel() == 0);
}

TEST_CASE("timestep sampler: names and errors") {
  for (TimestepSampling kind : {TimestepSampling::uniform, TimestepSampling::aware, TimestepSampling::linear,
                                TimestepSampling::sigmoid, TimestepSampling::logit_normal, TimestepSampling::mode})
    CHECK(timestep_sampling_from_name(name_of(kind)) == kind);
  CHECK_THROWS_WITH_AS(timestep_sampling_from_name("cosine"),
                       "timestep sampling: must be uniform, aware, linear, sigmoid, logit_normal or mode (cosine)",
                       ValueError);
  CHECK_THROWS_WITH_AS(TimestepSampler({.gamma = 0}, 10), "timestep sampler: gamma must be in (0, 1] (0)", ValueError);
  CHECK_THROWS_AS(TimestepSampler({.gamma = 1.5}, 10), ValueError);
  CHECK_THROWS_AS(TimestepSampler({.bins = 0}, 10), ValueError);
  CHECK_THROWS_AS(TimestepSampler({}, 0), ValueError);
}
