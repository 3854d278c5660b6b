#include "diffusion/sampler/sampler_parts.h"

#include <algorithm>
#include <cmath>

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// `from`, `from + by`, …, as numpy.arange adds them up, each rounded; `count` of them or as many as are positive.
std::vector<double> counted_down(double from, double by, int64_t count) {
  std::vector<double> values;
  const double delta = (from + by) - from;
  for (int64_t i = 0; i < count && from + double(i) * delta > 0; ++i)
    values.push_back(std::nearbyint(from + double(i) * delta) - 1);
  return values;
}

void check_offset(const SchedulerConfig& config, const std::vector<double>& timesteps) {
  require<ValueError>(timesteps.front() < double(config.noise.num_train_timesteps),
                      "sampler: steps_offset leads past the last training timestep ({})", config.steps_offset);
}

}  // namespace

std::vector<double> spaced_timesteps(const SchedulerConfig& config, int64_t steps) {
  const int64_t total = config.noise.num_train_timesteps;
  if (config.timestep_spacing == TimestepSpacing::trailing)
    return counted_down(double(total), -double(total) / double(steps), steps);
  std::vector<double> timesteps;
  const double apart = steps > 1 ? double(total - 1) / double(steps - 1) : 0;
  for (int64_t i = steps - 1; i >= 0; --i)
    timesteps.push_back(config.timestep_spacing == TimestepSpacing::leading
                            ? double(i * (total / steps) + config.steps_offset)
                            : (i > 0 && i == steps - 1 ? double(total - 1) : double(i) * apart));
  check_offset(config, timesteps);
  return timesteps;
}

std::vector<double> multistep_timesteps(const SchedulerConfig& config, int64_t steps, int64_t last) {
  const double total = double(config.noise.num_train_timesteps);
  if (config.timestep_spacing == TimestepSpacing::trailing)
    return counted_down(double(last), -total / double(steps), steps);
  std::vector<double> timesteps;
  const double apart = double(last - 1) / double(steps);
  for (int64_t i = steps; i > 0; --i)
    timesteps.push_back(config.timestep_spacing == TimestepSpacing::leading
                            ? double(i * (last / (steps + 1)) + config.steps_offset)
                            : std::nearbyint(i == steps ? double(last - 1) : double(i) * apart));
  check_offset(config, timesteps);
  return timesteps;
}

std::vector<float> training_sigmas(const SchedulerConfig& config, bool finite_end) {
  const NoiseSchedule schedule(config.noise);
  std::vector<float> abar = schedule.alphas_cumprod().to_vector<float>();
  if (finite_end && config.noise.rescale_betas_zero_snr) abar.back() = 0x1p-24f;
  for (float& value : abar) value = std::sqrt((1 - value) / value);
  return abar;
}

double interpolated(const std::vector<float>& table, double index) {
  if (index <= 0) return double(table.front());
  if (index >= double(table.size() - 1)) return double(table.back());
  const double below = std::floor(index);
  const double low = double(table[size_t(below)]), high = double(table[size_t(below) + 1]);
  return (high - low) * (index - below) + low;
}

std::vector<double> karras_sigmas(double sigma_min, double sigma_max, int64_t count) {
  constexpr double kRho = 7;
  const double low = std::pow(sigma_min, 1 / kRho), high = std::pow(sigma_max, 1 / kRho);
  std::vector<double> sigmas;
  for (int64_t i = 0; i < count; ++i) {
    const double along = count > 1 && i == count - 1 ? 1 : double(i) * (1 / std::max(1.0, double(count - 1)));
    sigmas.push_back(std::pow(high + along * (low - high), kRho));
  }
  return sigmas;
}

double timestep_of(double sigma, const std::vector<float>& training_sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  size_t below = 0;
  for (size_t t = 0; t < training_sigmas.size(); ++t)
    if (log_sigma >= double(std::log(training_sigmas[t]))) below = t;
  below = std::min(below, training_sigmas.size() - 2);
  const float low = std::log(training_sigmas[below]), high = std::log(training_sigmas[below + 1]);
  const double w = std::clamp((double(low) - log_sigma) / double(low - high), 0.0, 1.0);
  return (1 - w) * double(below) + w * double(below + 1);
}

void refuse_other_sigmas(const SchedulerConfig& config) {
  require<ValueError>(!config.use_exponential_sigmas, "{}: use_exponential_sigmas is not supported", config.class_name);
  require<ValueError>(!config.use_beta_sigmas, "{}: use_beta_sigmas is not supported", config.class_name);
  require<ValueError>(config.noise.num_train_timesteps > 1 || !config.use_karras_sigmas,
                      "{}: use_karras_sigmas needs at least 2 training timesteps", config.class_name);
}

Tensor x0_of_sigma(Prediction kind, float sigma, const Tensor& x, const Tensor& prediction) {
  if (kind == Prediction::sample) return prediction;
  if (kind == Prediction::v_prediction)
    return prediction * (-sigma / std::sqrt(sigma * sigma + 1)) + x / (sigma * sigma + 1);
  return x - prediction * sigma;
}

Tensor ChainLevel::x0(Prediction kind, const Tensor& x, const Tensor& prediction) const {
  const float alpha = std::sqrt(abar), sigma = std::sqrt(1 - abar);
  if (kind == Prediction::sample) return prediction;
  if (kind == Prediction::v_prediction) return x * alpha - prediction * sigma;
  return (x - prediction * sigma) / alpha;
}

Tensor ChainLevel::noise(Prediction kind, const Tensor& x, const Tensor& prediction) const {
  const float alpha = std::sqrt(abar), sigma = std::sqrt(1 - abar);
  if (kind == Prediction::sample) return (x - prediction * alpha) / sigma;
  if (kind == Prediction::v_prediction) return prediction * alpha + x * sigma;
  return prediction;
}

Tensor ChainLevel::add_noise(const Tensor& clean, const Tensor& noise) const {
  return clean * std::sqrt(abar) + noise * std::sqrt(1 - abar);
}

}  // namespace plumb
