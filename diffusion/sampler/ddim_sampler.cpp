#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"

namespace plumb {
namespace {

/// T / S training timesteps down at every step, whatever the spacing.             [Song et al. 2021, Eqs. 12 and 16]
class DdimSampler final : public Sampler {
 public:
  DdimSampler(const SchedulerConfig& config, std::vector<double> timesteps, int64_t steps, double eta)
      : Sampler(std::move(timesteps)),
        config_(config),
        schedule_(config.noise),
        eta_(float(eta)),
        apart_(config.noise.num_train_timesteps / steps) {}

  bool is_stochastic() const override { return eta_ > 0; }
  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override { return level().add_noise(x0, noise); }

 private:
  ChainLevel level() const { return {float(schedule_.alpha_cumprod(int64_t(timesteps()[index()])))}; }

  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) override {
    const int64_t next = int64_t(timesteps()[index()]) - apart_;
    const float abar = level().abar;
    const float previous =
        next < 0 && config_.set_alpha_to_one ? 1 : float(schedule_.alpha_cumprod(std::max<int64_t>(next, 0)));
    Tensor x0 = level().x0(config_.prediction_type, x, prediction);
    const Tensor eps = level().noise(config_.prediction_type, x, prediction);
    if (config_.clip_sample) x0 = clamp(x0, {.min = -config_.clip_sample_range, .max = config_.clip_sample_range});
    const float variance = (1 - previous) / (1 - abar) * (1 - abar / previous);
    const float sigma = eta_ * std::sqrt(variance);
    const Tensor out = x0 * std::sqrt(previous) + eps * std::sqrt(1 - previous - sigma * sigma);
    return is_stochastic() ? out + noise * sigma : out;
  }

  SchedulerConfig config_;
  NoiseSchedule schedule_;
  float eta_;
  int64_t apart_;
};

}  // namespace

std::unique_ptr<Sampler> make_ddim_sampler(const SchedulerConfig& config, int64_t steps, double eta) {
  std::vector<double> timesteps = spaced_timesteps(config, steps);
  for (double& t : timesteps) t = std::nearbyint(t);
  return std::make_unique<DdimSampler>(config, std::move(timesteps), steps, eta);
}

}  // namespace plumb
