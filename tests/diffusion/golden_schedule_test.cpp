// Noise schedules and the timesteps a sampler visits, against diffusers; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <cmath>

#include "diffusion/sampler/timesteps.h"
#include "tests/diffusion/golden_settings.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("noise schedule: cumulative products agree with diffusers and with the definition") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("schedule");
  REQUIRE(cases.size() == 3);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = golden_schedule(golden, entry.at("schedule").as_string());
    // The same float32 operations in the same order; one unit in the last place for libraries' cosines.
    CHECK(disagreement(schedule.alphas_cumprod(), golden.tensor(entry, "alphas_cumprod"), {0, 0x1p-23}) == "");
    // Against float64: abar_t is a product of t + 1 factors, each rounded once.
    const std::vector<double> exact = golden.tensor(entry, "alphas_cumprod_f64").to_vector<double>();
    REQUIRE(int64_t(exact.size()) == schedule.num_train_timesteps());
    for (size_t t = 0; t < exact.size(); ++t) {
      const double tolerance = double(t + 2) * 0x1p-24 / std::min(1.0, 1 - schedule.beta(int64_t(t)));
      CHECK(std::abs(schedule.alpha_cumprod(int64_t(t)) - exact[t]) <= tolerance * exact[t]);
    }
  }
}

TEST_CASE("sampling timesteps: agree with diffusers for every spacing") {
  const Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("timesteps");
  REQUIRE(cases.size() == 11);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const TimestepOptions options{.num_train_timesteps = entry.at("T").as_integer(),
                                  .steps = entry.at("steps").as_integer(),
                                  .spacing = timestep_spacing_from_name(entry.at("timestep_spacing").as_string()),
                                  .steps_offset = entry.at("steps_offset").as_integer()};
    CHECK(sampling_timesteps(options) == golden.tensor(entry, "timesteps").to_vector<int64_t>());
  }
}
