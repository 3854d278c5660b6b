#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Straight along dx/ds = eps - x0, or to the clean sample and back with fresh noise.   [Lipman et al. 2023; Esser et
/// al. 2024]
class FlowEulerSampler final : public Sampler {
 public:
  FlowEulerSampler(const SchedulerConfig& config, std::vector<double> timesteps, std::vector<float> sigmas)
      : Sampler(std::move(timesteps)), stochastic_(config.stochastic_sampling), sigmas_(std::move(sigmas)) {}

  bool is_stochastic() const override { return stochastic_; }
  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override {
    const float s = sigmas_[index()];
    return noise * s + x0 * (1 - s);
  }

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) override {
    const float s = sigmas_[index()], next = sigmas_[index() + 1];
    if (!stochastic_) return x + prediction * (next - s);
    return (x - prediction * s) * (1 - next) + noise * next;
  }

  bool stochastic_;
  std::vector<float> sigmas_;
};

double shifted(double shift, double s) { return shift * s / (1 + (shift - 1) * s); }

/// The largest and the smallest of training, in float32.
std::pair<double, double> training_range(double shift, float total) {
  const float f = float(shift), s = 1 / total;
  return {double(f / (1 + (f - 1))), double(f * s / (1 + (f - 1) * s))};
}

}  // namespace

std::unique_ptr<Sampler> make_flow_euler_sampler(const SchedulerConfig& config, int64_t steps) {
  refuse_other_sigmas(config);
  require<ValueError>(!config.use_dynamic_shifting, "{}: use_dynamic_shifting is not supported", config.class_name);
  require<ValueError>(!config.invert_sigmas, "{}: invert_sigmas is not supported", config.class_name);
  const double total = double(config.noise.num_train_timesteps);
  const auto [high, low] = training_range(config.shift, float(total));
  std::vector<double> sigmas;
  const double apart = steps > 1 ? (low * total - high * total) / double(steps - 1) : 0;
  for (int64_t i = 0; i < steps; ++i) {
    const double t = i > 0 && i == steps - 1 ? low * total : high * total + double(i) * apart;
    sigmas.push_back(shifted(config.shift, t / total));  // a second time: training's own were shifted already
  }
  if (config.shift_terminal && *config.shift_terminal != 0) {
    const double scale = (1 - sigmas.back()) / (1 - *config.shift_terminal);
    require<ValueError>(scale > 0, "{}: shift_terminal {} cannot be reached in {} steps", config.class_name,
                        *config.shift_terminal, steps);
    for (double& s : sigmas) s = 1 - (1 - s) / scale;
  }
  if (config.use_karras_sigmas) sigmas = karras_sigmas(sigmas.back(), sigmas.front(), steps);
  std::vector<float> levels(sigmas.begin(), sigmas.end());
  std::vector<double> timesteps;
  for (const float s : levels) timesteps.push_back(double(s * float(total)));
  levels.push_back(0);
  return std::make_unique<FlowEulerSampler>(config, std::move(timesteps), std::move(levels));
}

}  // namespace plumb
