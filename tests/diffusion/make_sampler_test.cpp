// Samplers by name, from the middle, in float64, and what is refused.

#include "diffusion/sampler/make_sampler.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

using namespace plumb;

namespace {

SchedulerConfig of(const char* text) { return scheduler_config(Json::parse(text)); }

/// Samples of a network that always says `x0` (as predicted noise), from unit noise.
Tensor run(const SchedulerConfig& config, int64_t steps, const Tensor& noise, const Tensor& x0) {
  const auto sampler = make_sampler(config, steps);
  Tensor x = noise * sampler->init_noise_sigma();
  for (size_t i = 0; i < sampler->timesteps().size(); ++i)
    x = sampler->step(x0, x, sampler->is_stochastic() ? zeros(x.shape(), x.dtype()) : Tensor());
  return x;
}

}  // namespace

TEST_CASE("make_sampler: every name ends at the clean sample a perfect network says") {
  const SchedulerConfig base =
      of(R"({"_class_name": "DDIMScheduler", "clip_sample": false, "prediction_type": "sample"})");
  const Tensor noise = randn(RandomKey{.seed = 3}, {2, 3}, DType::f64);
  const Tensor x0 = randn(RandomKey{.seed = 4}, {2, 3}, DType::f64);
  for (const std::string_view name : sampler_names()) {
    if (name == "pndm" || name == "flow_euler") continue;  // neither predicts samples
    CAPTURE(name);
    for (const int64_t steps : {1, 3, 10}) {
      const Tensor x = run(with_sampler(base, name), steps, noise, x0);
      CHECK(x.dtype() == DType::f64);
      // DDPM's last step has noise of its own where it does not end at timestep 0.
      CHECK(max(abs(x - x0)).item() <= 1e-6);
    }
  }
  CHECK(with_sampler(base, "dpmpp_2m_karras").use_karras_sigmas);
  CHECK(with_sampler(base, "dpmpp_sde").algorithm_type == AlgorithmType::sde_dpmsolverpp);
  CHECK_THROWS_WITH_AS(with_sampler(base, "eulr"), doctest::Contains("euler_ancestral"), ValueError);
}

TEST_CASE("make_sampler: keys of other classes change nothing") {
  const Tensor noise = randn(RandomKey{.seed = 3}, {2, 3});
  const auto same = [&](const char* plain, const char* more) {
    const Tensor a = run(of(plain), 5, noise, noise), b = run(of(more), 5, noise, noise);
    CHECK(max(abs(a - b)).item() == 0);
  };
  same(R"({"_class_name": "PNDMScheduler", "skip_prk_steps": true})",
       R"({"_class_name": "PNDMScheduler", "skip_prk_steps": true, "rescale_betas_zero_snr": true,
           "use_karras_sigmas": true, "clip_sample": true, "thresholding": true})");
  same(R"({"_class_name": "HeunDiscreteScheduler"})",
       R"({"_class_name": "HeunDiscreteScheduler", "rescale_betas_zero_snr": true, "final_sigmas_type": "sigma_min"})");
  same(R"({"_class_name": "EulerAncestralDiscreteScheduler"})",
       R"({"_class_name": "EulerAncestralDiscreteScheduler", "use_karras_sigmas": true, "use_beta_sigmas": true,
           "final_sigmas_type": "sigma_min"})");
}

TEST_CASE("make_sampler: sampling may begin anywhere, but only at the beginning") {
  const SchedulerConfig config = of(R"({"_class_name": "EulerDiscreteScheduler"})");
  const auto sampler = make_sampler(config, 5);
  CHECK_THROWS_AS(sampler->start_at(5), ValueError);
  CHECK_THROWS_AS(sampler->start_at(-1), ValueError);
  sampler->start_at(4);
  CHECK(sampler->position() == 4);
  const Tensor x = ones({1, 2});
  sampler->step(x, x);
  CHECK_THROWS_AS(sampler->start_at(0), ValueError);
  CHECK_THROWS_AS(sampler->step(x, x), ValueError);
  const auto other = make_sampler(config, 5);
  CHECK_THROWS_AS(other->step(ones({2, 2}), x), ShapeError);
  CHECK_THROWS_AS(make_sampler(of(R"({"_class_name": "DDPMScheduler"})"), 5)->step(x, x), ShapeError);  // no noise
}

TEST_CASE("make_sampler: what cannot be sampled names the key") {
  const auto refused = [](const char* text, const char* message, int64_t steps = 10) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(make_sampler(of(text), steps), doctest::Contains(message), ValueError);
  };
  refused(R"({"_class_name": "DDIMScheduler"})", "steps must be in [1, 1000]", 0);
  refused(R"({"_class_name": "DDIMScheduler"})", "steps must be in [1, 1000]", 1001);
  refused(R"({"_class_name": "DDIMScheduler", "steps_offset": 1})", "steps_offset", 1000);
  refused(R"({"_class_name": "DDIMScheduler", "thresholding": true})", "thresholding");
  refused(R"({"_class_name": "DDIMScheduler", "prediction_type": "flow_prediction"})", "flow_prediction");
  refused(R"({"_class_name": "DDPMScheduler", "variance_type": "learned_range"})", "variance_type");
  refused(R"({"_class_name": "PNDMScheduler", "prediction_type": "sample"})", "prediction_type");
  refused(R"({"_class_name": "PNDMScheduler"})", "at least 4 steps", 3);
  refused(R"({"_class_name": "EulerDiscreteScheduler", "use_beta_sigmas": true})", "use_beta_sigmas");
  refused(R"({"_class_name": "EulerDiscreteScheduler", "use_exponential_sigmas": true})", "use_exponential_sigmas");
  refused(R"({"_class_name": "EulerDiscreteScheduler", "timestep_type": "continuous"})", "timestep_type");
  refused(R"({"_class_name": "DPMSolverMultistepScheduler", "use_lu_lambdas": true})", "use_lu_lambdas");
  refused(R"({"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver"})", "final_sigmas_type");
  refused(R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": 100})", "lambda_min_clipped");
  refused(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true})",
          "use_dynamic_shifting");
  refused(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "invert_sigmas": true})", "invert_sigmas");
  refused(R"({"_class_name": "LMSDiscreteScheduler"})", "LMSDiscreteScheduler cannot be sampled with");
  CHECK_THROWS_AS(make_sampler(of(R"({"_class_name": "DDIMScheduler"})"), 10, {.eta = -1}), ValueError);
}
