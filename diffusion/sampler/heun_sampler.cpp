#include "diffusion/sampler/sigma_sampler.h"

namespace plumb {
namespace {

/// A step of Euler, and the same step again along the mean of the slopes at its two ends; the last step is Euler's.
///                                                                                [Karras et al. 2022, Alg. 1]
class HeunSampler final : public SigmaSampler {
 public:
  HeunSampler(const SchedulerConfig& config, std::vector<double> timesteps, std::vector<float> sigmas)
      : SigmaSampler(config, std::move(timesteps), std::move(sigmas)) {}

  int64_t calls_per_step() const override { return 2; }

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor&) override {
    // At the second call this position's sigma is where the step ended.
    const SchedulerConfig& c = config();
    Tensor x0 = x0_of_sigma(c.prediction_type, sigma(), x, prediction);
    if (c.clip_sample) x0 = clamp(x0, {.min = -c.clip_sample_range, .max = c.clip_sample_range});
    const Tensor slope = (x - x0) / sigma();
    if (!start_.defined()) {
      apart_ = sigma(1) - sigma();
      slope_ = slope;
      start_ = x;
      return x + slope * apart_;
    }
    const Tensor next = start_ + (slope_ + slope) / 2 * apart_;
    start_ = {}, slope_ = {};
    return next;
  }

  Tensor start_, slope_;  ///< of the first half; undefined between steps
  float apart_ = 0;
};

}  // namespace

std::unique_ptr<Sampler> make_heun_sampler(const SchedulerConfig& config, int64_t steps) {
  const SigmaSchedule schedule = sigma_schedule(config, steps, false);
  // Every level but the first and the last is visited twice.
  std::vector<double> timesteps{schedule.timesteps.front()};
  std::vector<float> sigmas{schedule.sigmas.front()};
  for (size_t i = 1; i < schedule.timesteps.size(); ++i) {
    timesteps.insert(timesteps.end(), 2, schedule.timesteps[i]);
    sigmas.insert(sigmas.end(), 2, schedule.sigmas[i]);
  }
  sigmas.push_back(schedule.sigmas.back());
  return std::make_unique<HeunSampler>(config, std::move(timesteps), std::move(sigmas));
}

}  // namespace plumb
