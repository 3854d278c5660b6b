// Forward process and conversions between kinds of prediction, against diffusers; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "diffusion/parameterization.h"
#include "diffusion/process/add_noise.h"
#include "tests/diffusion/golden_settings.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// The level diffusers was given, in float64: the table of the definition, not our float32 one.
NoiseLevel exact_level(const Golden& golden, const std::string& schedule, const Tensor& timesteps) {
  const Json name = Json::object().set("case", "schedule_" + schedule);
  const std::vector<double> table = golden.tensor(name, "alphas_cumprod_f64").to_vector<double>();
  NoiseLevel level{empty({timesteps.size(0), 1}, DType::f64), empty({timesteps.size(0), 1}, DType::f64)};
  const std::vector<int64_t> t = timesteps.to_vector<int64_t>();
  for (size_t i = 0; i < t.size(); ++i) {
    level.alpha.mutable_data<double>()[i] = std::sqrt(table[size_t(t[i])]);
    level.sigma.mutable_data<double>()[i] = std::sqrt(1 - table[size_t(t[i])]);
  }
  return level;
}

}  // namespace

TEST_CASE("forward process: x_t and velocity agree with diffusers") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("forward");
  REQUIRE(cases.size() == 3);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const std::string& name = entry.at("schedule").as_string();
    const Tensor t = golden.tensor(entry, "timesteps"), x0 = golden.tensor(entry, "x0"),
                 noise = golden.tensor(entry, "noise");
    const NoiseLevel level = exact_level(golden, name, t);
    CHECK(disagreement(add_noise(level, x0, noise), golden.tensor(entry, "x_t"), {1e-14, 1e-14}) == "");
    CHECK(disagreement(prediction_target(Prediction::v_prediction, level, x0, noise), golden.tensor(entry, "velocity"),
                       {1e-14, 1e-14}) == "");
    // Through our float32 table: abar rounded, and 1 - abar = 1e-3 at the clean end magnifies that to 3e-5 of sigma.
    const NoiseSchedule schedule = golden_schedule(golden, name);
    CHECK(disagreement(add_noise(schedule, x0, noise, t), golden.tensor(entry, "x_t"), {3e-6, 3e-6}) == "");
    CHECK(disagreement(add_noise(schedule, x0.to(DType::f32), noise.to(DType::f32), t),
                       golden.tensor(entry, "x_t").to(DType::f32), {3e-6, 3e-6}) == "");
  }
}

TEST_CASE("parameterization: every reading of a prediction agrees with the formulas") {
  const Golden golden("diffusion");
  for (const Json& entry : golden.cases("forward")) {
    CAPTURE(entry.at("case").as_string());
    const Tensor x = golden.tensor(entry, "x_t"), prediction = golden.tensor(entry, "prediction");
    const NoiseLevel level = exact_level(golden, entry.at("schedule").as_string(), golden.tensor(entry, "timesteps"));
    for (const std::string kind : {"epsilon", "sample", "v_prediction"}) {
      CAPTURE(kind);
      const Prediction from = prediction_from_name(kind);
      const Tensor x0 = golden.tensor(entry, kind + ".x0");
      // Going through x0 = (x - sigma eps) / alpha and back magnifies rounding by 1 / alpha, up to 2e4 for cosine.
      const Tolerance tolerance{1e-11, 1e-11};
      CHECK(disagreement(predicted_x0(from, level, x, prediction), x0, tolerance) == "");
      CHECK(disagreement(predicted_noise(from, level, x, prediction), golden.tensor(entry, kind + ".epsilon"),
                         tolerance) == "");
      CHECK(disagreement(convert_prediction(from, Prediction::v_prediction, level, x, prediction),
                         golden.tensor(entry, kind + ".velocity"), tolerance) == "");
      CHECK(disagreement(convert_prediction(from, Prediction::sample, level, x, prediction), x0, tolerance) == "");
    }
  }
}
