// Timesteps and whole trajectories of every sampler against diffusers; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "diffusion/sampler/make_sampler.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// The network of make_sampler_cases.py.
Tensor network(const Tensor& x, double t) {
  const float c = float(t) / 1000;
  return tanh(x * 0.8 + double(c * 0.5f - 0.2f)) + x * double(c * 0.3f);
}

double largest(const Tensor& x) { return max(abs(x)).item(); }

/// Largest difference between a trajectory and the recorded one, as a part of the largest element of a state; what
/// float32 must lose on the way from the largest state of all (4096 with a terminal SNR of zero) is allowed for.
double trajectory_error(const Json& entry, const Tensor& states, const Tensor& noise, Sampler& sampler) {
  const Json* first = entry.find("first");
  int64_t at = 0;
  double worst = 0;
  const double lost = largest(states) * 0x1p-23;
  const auto compare = [&](const Tensor& x) {
    const Tensor expected = select(states, 0, at++);
    const double error = std::max(0.0, largest(x - expected) - lost) / std::max(1.0, largest(expected));
    worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
  };
  Tensor x = select(states, 0, at++);
  if (first) {
    sampler.start_at(first->as_integer());
    x = sampler.add_noise(x, select(noise, 0, 0));
    compare(x);
  }
  const size_t begin = size_t(sampler.position());
  for (size_t i = begin; i < sampler.timesteps().size(); ++i) {
    const Tensor fresh = sampler.is_stochastic() ? select(noise, 0, int64_t(i - begin)) : Tensor();
    x = sampler.step(network(sampler.scale_model_input(x), sampler.timesteps()[i]), x, fresh);
    compare(x);
  }
  return worst;
}

}  // namespace

TEST_CASE("samplers: timesteps and trajectories agree with diffusers") {
  const Golden golden("samplers");
  const std::vector<Json> cases = golden.cases("trajectory");
  REQUIRE(cases.size() > 130);
  std::map<std::string, double> worst;
  for (const Json& entry : cases) {
    CAPTURE(entry.dump());
    const SchedulerConfig config = scheduler_config(entry.at("config"));
    const Json *eta = entry.find("eta"), *first = entry.find("first");
    const Tensor timesteps = golden.tensor(entry, "timesteps"), states = golden.tensor(entry, "states");
    int64_t time = 0, state = 0;
    for (size_t i = 0; i < entry.at("steps").size(); ++i) {
      const int64_t steps = entry.at("steps")[i].as_integer(), calls = entry.at("calls")[i].as_integer();
      CAPTURE(steps);
      const auto sampler = make_sampler(config, steps, {.eta = eta ? eta->as_number() : 0});
      const size_t begin = first ? size_t(first->as_integer()) : 0;
      REQUIRE(int64_t(sampler->timesteps().size() - begin) == calls);
      const std::vector<double> expected = slice(timesteps, 0, time, time + calls).to_vector<double>();
      for (int64_t k = 0; k < calls; ++k)
        CHECK(std::abs(sampler->timesteps()[begin + size_t(k)] - expected[size_t(k)]) <= 2e-6 * expected[size_t(k)]);
      const int64_t count = calls + 1 + (first ? 1 : 0);
      const Tensor noise =
          first || sampler->is_stochastic() ? slice(golden.tensor(entry, "noise"), 0, time, time + calls) : Tensor();
      const double scale = golden.tensor(entry, "init").to_vector<double>()[i];
      CHECK(sampler->init_noise_sigma() == doctest::Approx(scale).epsilon(1e-6));
      const double error = trajectory_error(entry, slice(states, 0, state, state + count), noise, *sampler);
      CHECK(error <= 1e-5);
      double& mine = worst[config.class_name];
      mine = std::max(mine, error);
      time += calls, state += count;
    }
  }
  for (const auto& [name, error] : worst) MESSAGE(name << ": " << error);
}
