#pragma once

#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"

// Samplers that see x = x0 + sigma noise, and show the network x / sqrt(sigma^2 + 1); not for use outside this folder.

namespace plumb {

class SigmaSampler : public Sampler {
 public:
  double init_noise_sigma() const override {
    const float largest = sigmas_.front();
    return config_.timestep_spacing == TimestepSpacing::leading ? std::sqrt(largest * largest + 1) : largest;
  }
  Tensor scale_model_input(const Tensor& x) const override { return x / std::sqrt(sigma() * sigma() + 1); }
  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override { return x0 + noise * sigma(); }

 protected:
  /// One sigma a timestep and one more, where the last step ends.
  SigmaSampler(const SchedulerConfig& config, std::vector<double> timesteps, std::vector<float> sigmas)
      : Sampler(std::move(timesteps)), config_(config), sigmas_(std::move(sigmas)) {}

  float sigma(size_t ahead = 0) const { return sigmas_[index() + ahead]; }
  const SchedulerConfig& config() const { return config_; }
  const std::vector<float>& sigmas() const { return sigmas_; }

 private:
  SchedulerConfig config_;
  std::vector<float> sigmas_;
};

struct SigmaSchedule {
  std::vector<double> timesteps;
  std::vector<float> sigmas;  ///< one more than timesteps
};

/// What Euler and Heun visit: sigmas of the spaced timesteps, or Karras et al.'s with the timesteps that belong to
/// them.
SigmaSchedule sigma_schedule(const SchedulerConfig& config, int64_t steps, bool finite_end);

}  // namespace plumb
