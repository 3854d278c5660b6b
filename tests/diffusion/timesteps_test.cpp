#include "diffusion/sampler/timesteps.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("sampling timesteps: equal diffusers' for leading and trailing") {
  // Values measured with diffusers' formulas in numpy.
  const auto leading = sampling_timesteps({1000, 50, TimestepSpacing::leading, 1});
  CHECK(leading.size() == 50);
  CHECK(leading[0] == 981);
  CHECK(leading[1] == 961);
  CHECK(leading[48] == 21);
  CHECK(leading[49] == 1);
  const auto twenty = sampling_timesteps({1000, 20, TimestepSpacing::leading, 1});
  CHECK(twenty[0] == 951);
  CHECK(twenty[19] == 1);
  const auto trailing = sampling_timesteps({1000, 50, TimestepSpacing::trailing, 0});
  CHECK(trailing[0] == 999);
  CHECK(trailing[1] == 979);
  CHECK(trailing[49] == 19);
}

TEST_CASE("sampling timesteps: linspace includes both ends") {
  const auto steps = sampling_timesteps({100, 7, TimestepSpacing::linspace, 0});
  // numpy.linspace(0, 99, 7).round() reversed
  CHECK(steps == std::vector<int64_t>{99, 82, 66, 50, 33, 16, 0});
  CHECK(sampling_timesteps({100, 1, TimestepSpacing::linspace, 0}) == std::vector<int64_t>{0});
}

TEST_CASE("sampling timesteps: every step of the training schedule can be visited") {
  for (auto spacing : {TimestepSpacing::leading, TimestepSpacing::linspace, TimestepSpacing::trailing}) {
    const auto steps = sampling_timesteps({100, 100, spacing, 0});
    for (int64_t i = 0; i < 100; ++i) CHECK(steps[size_t(i)] == 99 - i);
  }
}

TEST_CASE("sampling timesteps: rejects impossible settings") {
  CHECK_THROWS_WITH_AS(sampling_timesteps({100, 101, TimestepSpacing::trailing, 0}),
                       "sampling timesteps: steps must be in [1, 100], the training timesteps (101)", ValueError);
  CHECK_THROWS_AS(sampling_timesteps({100, 0, TimestepSpacing::trailing, 0}), ValueError);
  CHECK_THROWS_AS(sampling_timesteps({100, 50, TimestepSpacing::leading, 5}), ValueError);
  CHECK_THROWS_AS(timestep_spacing_from_name("middle"), ValueError);
}
