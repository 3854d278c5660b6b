#include <algorithm>
#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Ancestral sampling from one visited timestep to the next.                              [Ho et al. 2020, Eq. 7]
class DdpmSampler final : public Sampler {
 public:
  DdpmSampler(const SchedulerConfig& config, std::vector<double> timesteps)
      : Sampler(std::move(timesteps)), config_(config), schedule_(config.noise) {}

  bool is_stochastic() const override { return true; }
  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override { return level().add_noise(x0, noise); }

 private:
  ChainLevel level() const { return {float(schedule_.alpha_cumprod(int64_t(timesteps()[index()])))}; }

  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) override {
    const bool last = index() + 1 == timesteps().size();
    const float abar = level().abar;
    const float previous = last ? 1 : float(schedule_.alpha_cumprod(int64_t(timesteps()[index() + 1])));
    const float alpha = abar / previous, beta = 1 - alpha;
    Tensor x0 = level().x0(config_.prediction_type, x, prediction);
    if (config_.clip_sample) x0 = clamp(x0, {.min = -config_.clip_sample_range, .max = config_.clip_sample_range});
    const Tensor mean =
        x0 * (std::sqrt(previous) * beta / (1 - abar)) + x * (std::sqrt(alpha) * (1 - previous) / (1 - abar));
    if (timesteps()[index()] == 0) return mean;
    // From below, so that its logarithm exists.
    const float small = std::max((1 - previous) / (1 - abar) * beta, 1e-20f);
    if (config_.variance_type == VarianceType::fixed_large) return mean + noise * std::sqrt(beta);
    if (config_.variance_type == VarianceType::fixed_small_log) return mean + noise * std::exp(0.5f * std::log(small));
    return mean + noise * std::sqrt(small);
  }

  SchedulerConfig config_;
  NoiseSchedule schedule_;
};

}  // namespace

std::unique_ptr<Sampler> make_ddpm_sampler(const SchedulerConfig& config, int64_t steps) {
  require<ValueError>(config.variance_type == VarianceType::fixed_small ||
                          config.variance_type == VarianceType::fixed_small_log ||
                          config.variance_type == VarianceType::fixed_large,
                      "{}: variance_type must be fixed_small, fixed_small_log or fixed_large", config.class_name);
  std::vector<double> timesteps = spaced_timesteps(config, steps);
  for (double& t : timesteps) t = std::nearbyint(t);
  return std::make_unique<DdpmSampler>(config, std::move(timesteps));
}

}  // namespace plumb
