// Steps of DDIM and DDPM against diffusers, which was given float64 schedules; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "diffusion/sampler/ddim.h"
#include "diffusion/sampler/ddpm.h"
#include "diffusion/sampler/timesteps.h"
#include "engine/ops.h"
#include "tests/diffusion/golden_settings.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// One recorded step: what went in and what diffusers made of it.
struct Recorded {
  SamplerStep step;
  Tensor x, output, noise, next;
  double scale;  ///< largest magnitude that took part
};

double largest(const Tensor& x) { return max(abs(x)).item(); }

std::vector<Recorded> recorded_steps(const Golden& golden, const Json& entry, bool to_next_visited) {
  const std::vector<int64_t> t = golden.tensor(entry, "timesteps").to_vector<int64_t>();
  const Tensor states = golden.tensor(entry, "states"), outputs = golden.tensor(entry, "model_outputs"),
               noise = golden.tensor(entry, "noise"), x0 = golden.tensor(entry, "x0");
  const int64_t count = int64_t(t.size());
  const int64_t total = golden_schedule(golden, entry.at("schedule").as_string()).num_train_timesteps();
  std::vector<Recorded> steps;
  for (int64_t i = 0; i < count; ++i) {
    // diffusers' DDIM goes T / S timesteps down whatever the spacing; its DDPM goes to the next one visited.
    const int64_t next = i + 1 < count ? t[size_t(i + 1)] : -1;
    const int64_t previous = to_next_visited ? next : std::max<int64_t>(t[size_t(i)] - total / count, -1);
    steps.push_back({{t[size_t(i)], previous},
                     select(states, 0, i),
                     select(outputs, 0, i),
                     select(noise, 0, i),
                     select(states, 0, i + 1),
                     std::max({1.0, largest(select(states, 0, i)), largest(select(x0, 0, i))})});
  }
  return steps;
}

/// Our tables are float32: abar carries a relative error of up to sqrt(T) * 2^-24, and 1 - abar = 1e-3 at the clean end
/// magnifies it to 1e-4 of the noise. States start from the recorded ones, so errors do not add up.
constexpr double kTableError = 1e-4;

}  // namespace

TEST_CASE("ddim: every step agrees with diffusers, with and without noise") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("ddim");
  REQUIRE(cases.size() == 12);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = golden_schedule(golden, entry.at("schedule").as_string());
    const DdimOptions options{.prediction = prediction_from_name(entry.at("prediction_type").as_string()),
                              .eta = entry.at("eta").as_number(),
                              .set_alpha_to_one = entry.at("set_alpha_to_one").as_bool()};
    const std::vector<Recorded> steps = recorded_steps(golden, entry, false);
    CHECK(int64_t(steps.size()) == entry.at("steps").as_integer());
    for (const Recorded& r : steps) {
      CAPTURE(r.step.t);
      const Tensor next = ddim_step(schedule, r.step, r.x, r.output, options.eta > 0 ? r.noise : Tensor(), options);
      CHECK(disagreement(next, r.next, {kTableError * r.scale, 0}) == "");
    }
  }
}

TEST_CASE("ddpm: every step agrees with diffusers") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("ddpm");
  REQUIRE(cases.size() == 5);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = golden_schedule(golden, entry.at("schedule").as_string());
    const bool small = entry.at("variance_type").as_string() == "fixed_small";
    const DdpmOptions options{.prediction = prediction_from_name(entry.at("prediction_type").as_string()),
                              .variance = small ? DdpmVariance::fixed_small : DdpmVariance::fixed_large};
    for (const Recorded& r : recorded_steps(golden, entry, true)) {
      CAPTURE(r.step.t);
      CHECK(disagreement(ddpm_step(schedule, r.step, r.x, r.output, r.noise, options), r.next,
                         {kTableError * r.scale, 0}) == "");
    }
  }
}

TEST_CASE("ddpm: the variance of every step of the whole chain agrees with diffusers") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("variance");
  REQUIRE(cases.size() == 2);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = golden_schedule(golden, entry.at("schedule").as_string());
    // From the origin, with a predicted noise of zero, a step is its noise alone: unit noise gives the deviation.
    const Tensor zero = zeros({1}, DType::f64), one = ones({1}, DType::f64);
    for (const auto& [kind, name] :
         {std::pair{DdpmVariance::fixed_small, "fixed_small"}, std::pair{DdpmVariance::fixed_large, "fixed_large"}}) {
      const std::vector<double> expected = golden.tensor(entry, name).to_vector<double>();
      for (int64_t t = 1; t < schedule.num_train_timesteps(); ++t) {
        const double deviation = ddpm_step(schedule, {t, t - 1}, zero, zero, one, {.variance = kind}).item();
        // beta = 1 - abar_t / abar_{t-1} loses digits where beta is small (4e-5 at the clean end of cosine).
        const double tolerance = 0x1p-22 / expected[size_t(t)] + 1e-3 * (kind == DdpmVariance::fixed_small);
        CHECK(std::abs(deviation * deviation - expected[size_t(t)]) <= tolerance * expected[size_t(t)]);
      }
      CHECK(ddpm_step(schedule, {0, -1}, zero, zero, one, {.variance = kind}).item() == 0);
    }
  }
}
