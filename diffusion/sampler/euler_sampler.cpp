#include <cmath>

#include "diffusion/sampler/sigma_sampler.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Straight along dx/dsigma = (x - x0) / sigma.                                     [Karras et al. 2022, Alg. 1]
class EulerSampler final : public SigmaSampler {
 public:
  EulerSampler(const SchedulerConfig& config, SigmaSchedule schedule)
      : SigmaSampler(config, std::move(schedule.timesteps), std::move(schedule.sigmas)) {}

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor&) override {
    const Tensor x0 = x0_of_sigma(config().prediction_type, sigma(), x, prediction);
    return x + (x - x0) / sigma() * (sigma(1) - sigma());
  }
};

/// Down to less noise than the next level has, and fresh noise for the rest.
class EulerAncestralSampler final : public SigmaSampler {
 public:
  EulerAncestralSampler(const SchedulerConfig& config, SigmaSchedule schedule)
      : SigmaSampler(config, std::move(schedule.timesteps), std::move(schedule.sigmas)) {}

  bool is_stochastic() const override { return true; }

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) override {
    const float from = sigma() * sigma(), to = sigma(1) * sigma(1);
    const float up = std::sqrt(to * (from - to) / from), down = std::sqrt(to - up * up);
    const Tensor x0 = x0_of_sigma(config().prediction_type, sigma(), x, prediction);
    return x + (x - x0) / sigma() * (down - sigma()) + noise * up;
  }
};

}  // namespace

SigmaSchedule sigma_schedule(const SchedulerConfig& config, int64_t steps, bool finite_end) {
  if (config.type != SchedulerClass::euler_ancestral) refuse_other_sigmas(config);
  const std::vector<float> table = training_sigmas(config, finite_end);
  SigmaSchedule schedule{.timesteps = spaced_timesteps(config, steps), .sigmas = {}};
  std::vector<double> sigmas;
  for (double& t : schedule.timesteps) sigmas.push_back(interpolated(table, t = double(float(t))));
  const bool of_euler = config.type == SchedulerClass::euler;
  const bool log_linear =
      of_euler && !config.use_karras_sigmas && config.interpolation_type == SigmaInterpolation::log_linear;
  if (log_linear) {
    const double high = std::log(table.back()), low = std::log(table.front());
    for (size_t i = 0; i < sigmas.size(); ++i) sigmas[i] = std::exp(high + (low - high) * double(i) / double(steps));
  }
  if (config.use_karras_sigmas && config.type != SchedulerClass::euler_ancestral) {
    const double low = of_euler && config.sigma_min ? *config.sigma_min : sigmas.back();
    const double high = of_euler && config.sigma_max ? *config.sigma_max : sigmas.front();
    require<ValueError>(low > 0 && high > 0, "{}: sigma_min and sigma_max must be positive ({}, {})", config.class_name,
                        low, high);
    sigmas = karras_sigmas(low, high, steps);
    for (size_t i = 0; i < schedule.timesteps.size(); ++i)
      schedule.timesteps[i] = double(float(timestep_of(sigmas[i], table)));
  }
  schedule.sigmas.assign(sigmas.begin(), sigmas.end());
  // The log-linear ones are one more than the timesteps and end at the least noise of training.
  const bool to_first = log_linear || (of_euler && config.final_sigmas_type == FinalSigmas::sigma_min);
  schedule.sigmas.push_back(to_first ? table.front() : 0);
  return schedule;
}

std::unique_ptr<Sampler> make_euler_sampler(const SchedulerConfig& config, int64_t steps) {
  require<ValueError>(config.timestep_type == "discrete", "{}: timestep_type must be discrete ({})", config.class_name,
                      config.timestep_type);
  return std::make_unique<EulerSampler>(config, sigma_schedule(config, steps, true));
}

std::unique_ptr<Sampler> make_euler_ancestral_sampler(const SchedulerConfig& config, int64_t steps) {
  return std::make_unique<EulerAncestralSampler>(config, sigma_schedule(config, steps, true));
}

}  // namespace plumb
