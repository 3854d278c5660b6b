#include "diffusion/parameterization.h"

#include <doctest/doctest.h>

#include <cmath>

#include "diffusion/process/add_noise.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

using namespace plumb;

namespace {

constexpr Prediction kAll[] = {Prediction::epsilon, Prediction::sample, Prediction::v_prediction, Prediction::flow};

bool all_close(const Tensor& a, const Tensor& b, double tolerance) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  if (x.size() != y.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= tolerance)) return false;
  return true;
}

struct Sample {
  NoiseLevel level;
  Tensor x0, noise, x;
};

Sample make_sample(Prediction kind) {
  const RandomKey key{7};
  const Tensor x0 = randn(key.fork("x0"), {5, 3, 1, 2}, DType::f64),
               noise = randn(key.fork("noise"), {5, 3, 1, 2}, DType::f64);
  // Flow lives on its own line of levels; the others on the circle.
  const NoiseSchedule schedule({100, BetaSchedule::linear, 1e-3, 0.2});
  const NoiseLevel level = kind == Prediction::flow
                               ? flow_level(from_vector<double>({0.1, 0.3, 0.5, 0.7, 0.9}, {5}), 4)
                               : schedule.level(from_vector<int64_t>({1, 20, 50, 80, 90}, {5}), 4, DType::f64);
  return {level, x0, noise, add_noise(level, x0, noise)};
}

}  // namespace

TEST_CASE("parameterization: the target of every kind gives back x0 and noise") {
  for (Prediction kind : kAll) {
    const Sample s = make_sample(kind);
    const Tensor target = prediction_target(kind, s.level, s.x0, s.noise);
    CHECK(all_close(predicted_x0(kind, s.level, s.x, target), s.x0, 1e-12));
    CHECK(all_close(predicted_noise(kind, s.level, s.x, target), s.noise, 1e-12));
  }
}

TEST_CASE("parameterization: conversions agree with converting the ingredients") {
  for (Prediction from : {Prediction::epsilon, Prediction::sample, Prediction::v_prediction})
    for (Prediction to : {Prediction::epsilon, Prediction::sample, Prediction::v_prediction}) {
      const Sample s = make_sample(from);
      const Tensor converted =
          convert_prediction(from, to, s.level, s.x, prediction_target(from, s.level, s.x0, s.noise));
      CHECK(all_close(converted, prediction_target(to, s.level, s.x0, s.noise), 1e-11));
    }
}

TEST_CASE("parameterization: names round trip and unknown ones are refused") {
  for (Prediction kind : kAll) CHECK(prediction_from_name(name_of(kind)) == kind);
  CHECK_THROWS_WITH_AS(prediction_from_name("score"),
                       "prediction type: must be epsilon, sample, v_prediction or flow_prediction (score)", ValueError);
}
