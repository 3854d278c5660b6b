#include "diffusion/sampler/sampler.h"

#include <doctest/doctest.h>

#include "diffusion/point_denoiser.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Setup {
  Generator generator{5};
  PointDenoiser model{{.hidden = 16, .hidden_layers = 2}, generator};
  NoiseSchedule schedule{{100, BetaSchedule::linear, 1e-3, 0.2}};
  SamplerStart start{.noise = randn(RandomKey{1}, {8, 2}),
                     .condition = {.labels = from_vector<int64_t>({0, 1, 2, 3, 4, 5, 0, 1}, {8})},
                     .negative = {.labels = from_vector<int64_t>({1, 2, 3, 4, 5, 0, 1, 2}, {8})},
                     .key = RandomKey{9}};

  Tensor draw(const SamplerOptions& options, uint64_t seed = 9) {
    SamplerStart other = start;
    other.key = RandomKey{seed};
    return sample(model, schedule, other, options);
  }
};

}  // namespace

TEST_CASE("sampler: DDIM with eta 0 reads no randomness; eta 1 and DDPM do, and repeat") {
  Setup s;
  CHECK(bits_of(s.draw({.steps = 10}, 1)) == bits_of(s.draw({.steps = 10}, 2)));
  for (const SamplerOptions& options :
       {SamplerOptions{.steps = 10, .eta = 1}, SamplerOptions{.kind = SamplerKind::ddpm, .steps = 10}}) {
    CHECK(bits_of(s.draw(options, 1)) == bits_of(s.draw(options, 1)));
    CHECK(bits_of(s.draw(options, 1)) != bits_of(s.draw(options, 2)));
  }
}

TEST_CASE("sampler: the trajectory starts at the noise, ends at the sample, and has every step") {
  Setup s;
  std::vector<Tensor> trajectory;
  const Tensor samples = sample(s.model, s.schedule, s.start, {.steps = 7, .guidance_scale = 2}, &trajectory);
  REQUIRE(trajectory.size() == 8);
  CHECK(bits_of(trajectory.front()) == bits_of(s.start.noise));
  CHECK(bits_of(trajectory.back()) == bits_of(samples));
  CHECK(samples.shape() == s.start.noise.shape());
}

TEST_CASE("sampler: a sample's noise depends on its own row alone") {
  Setup s;
  const SamplerOptions options{.kind = SamplerKind::ddpm, .steps = 10};
  const Tensor all = s.draw(options);
  s.start.noise = slice(s.start.noise, 0, 0, 3).clone();
  s.start.condition = s.start.condition.rows(0, 3);
  CHECK(worst_error(s.draw(options), slice(all, 0, 0, 3).to_vector<double>()) <= 1e-5);
}

TEST_CASE("sampler: guidance changes samples, scale 1 does not read the negative") {
  Setup s;
  const Tensor plain = s.draw({.steps = 10});
  CHECK(bits_of(s.draw({.steps = 10, .guidance_scale = 3})) != bits_of(plain));
  s.start.negative = {};
  CHECK(bits_of(s.draw({.steps = 10})) == bits_of(plain));
  CHECK_THROWS_AS(s.draw({.steps = 0}), ValueError);
  CHECK_THROWS_AS(s.draw({.steps = 101}), ValueError);
  CHECK_THROWS_AS(s.draw({.eta = -1}), ValueError);
}
