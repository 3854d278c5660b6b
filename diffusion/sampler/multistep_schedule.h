#pragma once

#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"

// What DPM-Solver and UniPC share; not for use outside this folder.

namespace plumb {

/// A noise level of x = alpha x0 + sigma noise and half its log SNR, in float32.
struct SolverLevel {
  float alpha, sigma, lambda;
  /// From sigma / alpha of a variance-preserving process, or from the time of flow matching.
  static SolverLevel at(float sigma, bool flow);
};

/// A solver of x = alpha x0 + sigma noise in lambda = log(alpha / sigma).
class MultistepSampler : public Sampler {
 public:
  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override {
    const SolverLevel here = level(index());
    return x0 * here.alpha + noise * here.sigma;
  }

 protected:
  MultistepSampler(const SchedulerConfig& config, std::vector<double> timesteps, std::vector<float> sigmas)
      : Sampler(std::move(timesteps)), config_(config), sigmas_(std::move(sigmas)) {}

  const SchedulerConfig& config() const { return config_; }
  /// Levels are one more than timesteps.
  SolverLevel level(size_t at) const { return SolverLevel::at(sigmas_[at], config_.use_flow_sigmas); }
  /// The clean sample a prediction at this position implies, or the noise.
  Tensor x0_of(const Tensor& x, const Tensor& prediction) const;
  Tensor noise_of(const Tensor& x, const Tensor& prediction) const;

 private:
  SchedulerConfig config_;
  std::vector<float> sigmas_;
};

struct MultistepSchedule {
  std::vector<double> timesteps;
  std::vector<float> sigmas;  ///< one more than timesteps
};

MultistepSchedule dpm_schedule(const SchedulerConfig& config, int64_t steps);
MultistepSchedule unipc_schedule(const SchedulerConfig& config, int64_t steps);

}  // namespace plumb
