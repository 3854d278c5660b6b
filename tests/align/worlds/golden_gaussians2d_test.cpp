// Densities and scores of the 2D world against NumPy's float64; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "align/worlds/gaussians2d.h"
#include "engine/ops.h"
#include "tests/support/golden.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Both sides are float64; the absolute part covers differences of nearly equal terms, such as the score at the origin.
constexpr Tolerance kTolerance{1e-11, 1e-12};

/// NumPy's shares of the modes are exp(term - total). Far out (5e5 nats here) a rounding of those moves every share,
/// and the score with them, by that many units in the last place.
Tolerance score_tolerance(const Tensor& log_density) { return {1e-11, 1e-12 + max(abs(log_density)).item() * 0x1p-52}; }

Gaussians2d golden_world(const Json& entry) {
  return Gaussians2d({.classes = entry.at("classes").as_integer(),
                      .radius = entry.at("radius").as_number(),
                      .sigma = entry.at("sigma").as_number(),
                      .noise_fraction = entry.at("noise_fraction").as_number(),
                      .inflation = entry.at("inflation").as_number()});
}

Tensor scores_of(const Mixture2d& mixture, const Tensor& points, double abar) {
  Tensor scores = empty(points.shape(), DType::f64);
  const std::vector<double> x = points.to_vector<double>();
  for (size_t i = 0; i < x.size(); i += 2) {
    const auto score = mixture.score({x[i], x[i + 1]}, abar);
    std::copy(score.begin(), score.end(), scores.mutable_data<double>() + i);
  }
  return scores;
}

/// Which golden entry a class is compared with: one kind, at one of the times.
struct Place {
  std::string kind;
  int64_t time_index, label;
  double abar;
};

void check_class(const Golden& golden, const Json& entry, const Mixture2d& mixture, const Place& at) {
  const Tensor points = golden.tensor(entry, "points");
  auto expected = [&](const char* what) {
    return select(select(golden.tensor(entry, at.kind + what), 0, at.time_index), 0, at.label);
  };
  const Tensor density = expected("_log_density"), score = expected("_score");
  CHECK(disagreement(mixture.log_density(points, at.abar), density, kTolerance) == "");
  CHECK(disagreement(scores_of(mixture, points, at.abar), score, score_tolerance(density)) == "");
}

}  // namespace

TEST_CASE("gaussians2d: centers, weights, log densities and scores agree with the closed form") {
  const Golden golden("gaussians2d");
  REQUIRE(golden.cases().size() == 3);
  for (const Json& entry : golden.cases()) {
    CAPTURE(entry.at("case").as_string());
    const Gaussians2d world = golden_world(entry);
    CHECK(disagreement(world.centers().to(DType::f64), golden.tensor(entry, "centers"), {1e-7, 1e-7}) == "");
    const std::vector<int64_t> times = golden.tensor(entry, "times").to_vector<int64_t>();
    const std::vector<double> table = golden.tensor(entry, "alphas_cumprod").to_vector<double>();
    for (size_t s = 0; s < times.size(); ++s) {
      const double abar = times[s] < 0 ? 1 : table[size_t(times[s])];
      for (int64_t k = 0; k < world.classes(); ++k) {
        CAPTURE(times[s]);
        CAPTURE(k);
        check_class(golden, entry, world.clean(k), {"clean", int64_t(s), k, abar});
        check_class(golden, entry, world.noisy(k), {"noisy", int64_t(s), k, abar});
      }
    }
  }
}

TEST_CASE("gaussians2d: a mixture over all classes agrees with the closed form") {
  const Golden golden("gaussians2d");
  for (const Json& entry : golden.cases()) {
    CAPTURE(entry.at("case").as_string());
    const Gaussians2d world = golden_world(entry);
    std::vector<Mixture2d::Component> clean, noisy;
    for (int64_t k = 0; k < world.classes(); ++k) {
      for (const auto& component : world.clean(k).components()) clean.push_back(component);
      for (const auto& component : world.noisy(k).components()) noisy.push_back(component);
    }
    const Mixture2d all_clean(clean, world.clean(0).width()), all_noisy(noisy, world.noisy(0).width());
    const std::vector<int64_t> times = golden.tensor(entry, "times").to_vector<int64_t>();
    const std::vector<double> table = golden.tensor(entry, "alphas_cumprod").to_vector<double>();
    const Tensor points = golden.tensor(entry, "points");
    for (size_t s = 0; s < times.size(); ++s) {
      CAPTURE(times[s]);
      const double abar = times[s] < 0 ? 1 : table[size_t(times[s])];
      for (const auto& [mixture, kind] : {std::pair{&all_clean, "clean_all"}, std::pair{&all_noisy, "noisy_all"}}) {
        const std::string name = kind;
        const Tensor density = select(golden.tensor(entry, name + "_log_density"), 0, int64_t(s)),
                     score = select(golden.tensor(entry, name + "_score"), 0, int64_t(s));
        CHECK(disagreement(mixture->log_density(points, abar), density, kTolerance) == "");
        CHECK(disagreement(scores_of(*mixture, points, abar), score, score_tolerance(density)) == "");
      }
    }
  }
}

TEST_CASE("gaussians2d: the exact noise of a batch is -sigma times the golden score") {
  const Golden golden("gaussians2d");
  const NoiseSchedule schedule({100, BetaSchedule::linear, 1e-3, 0.2});
  for (const Json& entry : golden.cases()) {
    CAPTURE(entry.at("case").as_string());
    const Gaussians2d world = golden_world(entry);
    const Tensor points = golden.tensor(entry, "points");
    const std::vector<int64_t> times = golden.tensor(entry, "times").to_vector<int64_t>();
    for (size_t s = 1; s < times.size(); ++s) {  // s = 0 is the data itself: no noise
      const Tensor t = full({points.size(0)}, double(times[s]), DType::i64),
                   labels = full({points.size(0)}, double(world.classes() - 1), DType::i64);
      const Tensor score = select(select(golden.tensor(entry, "clean_score"), 0, int64_t(s)), 0, world.classes() - 1);
      const Tensor expected = score * -std::sqrt(1 - schedule.alpha_cumprod(times[s]));
      // The schedule's table is float32: 1 - abar_0 = 1e-3 with an error of 3e-8.
      CHECK(disagreement(world.clean_noise(schedule, points, t, labels), expected, {1e-4, 1e-4}) == "");
    }
  }
}
