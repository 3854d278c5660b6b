#include "nn/layers/timestep_embedding.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "tests/support/golden.h"

using namespace plumb;

TEST_CASE("timestep_embedding: agrees with diffusers for every option") {
  const plumb::test::Golden golden("diffusion");
  const std::vector<Json> cases = golden.cases("embedding");
  REQUIRE(cases.size() == 7);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Tensor t = golden.tensor(entry, "t");
    const int64_t dim = entry.at("dim").as_integer();
    const double scale = entry.at("scale").as_number();
    const Tensor y = timestep_embedding(t, dim,
                                        {.flip_sin_to_cos = entry.at("flip_sin_to_cos").as_bool(),
                                         .downscale_freq_shift = entry.at("downscale_freq_shift").as_number(),
                                         .scale = scale,
                                         .max_period = entry.at("max_period").as_number()});
    const std::vector<double> times = t.to_vector<double>(), actual = y.to_vector<double>(),
                              expected = golden.tensor(entry, "embedding").to_vector<double>();
    REQUIRE(actual.size() == expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      // The angle scale * t * f carries up to two roundings that may differ; sine and cosine 2 units in the last place.
      const double angle = scale * times[i / size_t(dim)];
      const double tolerance = angle * 0x1p-23 + 3e-7;
      CHECK(std::abs(actual[i] - expected[i]) <= tolerance);
    }
  }
}

TEST_CASE("timestep_embedding: values of Stable Diffusion at t = 981") {
  const Tensor y =
      timestep_embedding(from_vector<int64_t>({981}, {1}), 320, {.flip_sin_to_cos = true, .downscale_freq_shift = 0});
  const std::vector<double> v = y.to_vector<double>();
  const double expected[] = {0.67995721, -0.79842919, 0.57806414}, later[] = {0.73325181, 0.60208869, 0.81599128};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::abs(v[i] - expected[i]) <= 1.2e-4);
    CHECK(std::abs(v[160 + i] - later[i]) <= 1.2e-4);
  }
}

TEST_CASE("timestep_embedding: refuses shapes and settings without meaning") {
  CHECK_THROWS_WITH_AS(timestep_embedding(zeros({2, 2}), 8), "timestep_embedding: timesteps must be [N]; f32[2, 2]",
                       ShapeError);
  CHECK_THROWS_AS(timestep_embedding(zeros({2}), 1), ValueError);
  CHECK_THROWS_AS(timestep_embedding(zeros({2}), 2), ValueError);  // half 1 minus shift 1: division by zero
  CHECK(timestep_embedding(zeros({0}), 8).shape() == Shape{0, 8});
}
