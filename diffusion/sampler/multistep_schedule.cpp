#include "diffusion/sampler/multistep_schedule.h"

#include <algorithm>

#include "engine/require.h"

namespace plumb {
namespace {

/// How many training timesteps remain when those whose lambda is below the bound are left out.
int64_t last_timestep(const SchedulerConfig& config) {
  const NoiseSchedule schedule(config.noise);
  int64_t last = config.noise.num_train_timesteps;
  const auto lambda = [&](int64_t t) {
    const float abar = t == config.noise.num_train_timesteps - 1 && config.noise.rescale_betas_zero_snr
                           ? 0x1p-24f
                           : float(schedule.alpha_cumprod(t));
    return double(std::log(std::sqrt(abar)) - std::log(std::sqrt(1 - abar)));
  };
  while (last > 0 && lambda(last - 1) < config.lambda_min_clipped) --last;
  require<ValueError>(last > 0, "{}: lambda_min_clipped leaves no timestep ({})", config.class_name,
                      config.lambda_min_clipped);
  return last;
}

double shifted(double shift, double s) { return shift * s / (1 + (shift - 1) * s); }

MultistepSchedule finished(std::vector<double> timesteps, std::vector<double> sigmas, double last) {
  sigmas.push_back(last);
  for (double& t : timesteps) t = std::trunc(t);  // diffusers keeps whole numbers
  return {std::move(timesteps), {sigmas.begin(), sigmas.end()}};
}

std::vector<double> times_of(const std::vector<double>& sigmas, const std::vector<float>& table) {
  std::vector<double> timesteps;
  for (const double sigma : sigmas) timesteps.push_back(timestep_of(sigma, table));
  return timesteps;
}

void check(const SchedulerConfig& config) {
  refuse_other_sigmas(config);
  require<ValueError>(!config.use_lu_lambdas, "{}: use_lu_lambdas is not supported", config.class_name);
  require<ValueError>(!config.use_dynamic_shifting, "{}: use_dynamic_shifting is not supported", config.class_name);
  require<ValueError>(!config.use_karras_sigmas || !config.use_flow_sigmas,
                      "{}: use_karras_sigmas and use_flow_sigmas together are not supported", config.class_name);
}

}  // namespace

SolverLevel SolverLevel::at(float sigma, bool flow) {
  const float alpha = flow ? 1 - sigma : 1 / std::sqrt(sigma * sigma + 1);
  const float noise = flow ? sigma : sigma * alpha;
  return {alpha, noise, std::log(alpha) - std::log(noise)};
}

Tensor MultistepSampler::x0_of(const Tensor& x, const Tensor& prediction) const {
  const SolverLevel here = level(index());
  if (config_.prediction_type == Prediction::sample) return prediction;
  if (config_.prediction_type == Prediction::v_prediction) return x * here.alpha - prediction * here.sigma;
  if (config_.prediction_type == Prediction::flow) return x - prediction * sigmas_[index()];
  return (x - prediction * here.sigma) / here.alpha;
}

Tensor MultistepSampler::noise_of(const Tensor& x, const Tensor& prediction) const {
  const SolverLevel here = level(index());
  if (config_.prediction_type == Prediction::sample) return (x - prediction * here.alpha) / here.sigma;
  if (config_.prediction_type == Prediction::v_prediction) return prediction * here.alpha + x * here.sigma;
  return prediction;
}

MultistepSchedule dpm_schedule(const SchedulerConfig& config, int64_t steps) {
  check(config);
  const std::vector<float> table = training_sigmas(config, true);
  const double total = double(config.noise.num_train_timesteps);
  const double last = config.final_sigmas_type == FinalSigmas::sigma_min ? double(table.front()) : 0;
  std::vector<double> timesteps, sigmas;
  if (config.use_karras_sigmas) {
    sigmas = karras_sigmas(double(table.front()), double(table.back()), steps);
    timesteps = times_of(sigmas, table);
    if (config.noise.beta_schedule != BetaSchedule::squaredcos_cap_v2)
      for (double& t : timesteps) t = std::nearbyint(t);
  } else if (config.use_flow_sigmas) {
    for (int64_t i = steps; i > 0; --i) {
      const double alpha = i == steps ? 1 / total : 1 + double(i) * ((1 / total - 1) / double(steps));
      sigmas.push_back(shifted(config.flow_shift, 1 - alpha));
      timesteps.push_back(sigmas.back() * total);
    }
  } else {
    timesteps = multistep_timesteps(config, steps, last_timestep(config));
    for (const double t : timesteps) sigmas.push_back(interpolated(table, t));
  }
  return finished(std::move(timesteps), std::move(sigmas), last);
}

MultistepSchedule unipc_schedule(const SchedulerConfig& config, int64_t steps) {
  check(config);
  const std::vector<float> table = training_sigmas(config, true);
  const double total = double(config.noise.num_train_timesteps);
  const bool to_zero = config.final_sigmas_type == FinalSigmas::zero;
  std::vector<double> timesteps, sigmas;
  if (config.use_karras_sigmas) {
    sigmas = karras_sigmas(config.sigma_min.value_or(double(table.front())),
                           config.sigma_max.value_or(double(table.back())), steps);
    timesteps = times_of(sigmas, table);
    for (double& t : timesteps) t = std::nearbyint(t);
    const double last = to_zero ? 0 : sigmas.back();
    return finished(std::move(timesteps), std::move(sigmas), last);
  }
  if (!config.use_flow_sigmas) {
    timesteps = multistep_timesteps(config, steps, config.noise.num_train_timesteps);
    for (const double t : timesteps) sigmas.push_back(interpolated(table, t));
    return finished(std::move(timesteps), std::move(sigmas), to_zero ? 0 : double(table.front()));
  }
  for (int64_t i = 0; i < steps; ++i)
    sigmas.push_back(shifted(config.flow_shift, 1 + double(i) * ((1 / total - 1) / double(steps))));
  if (config.shift_terminal && *config.shift_terminal != 0) {
    const double scale = (1 - sigmas.back()) / (1 - *config.shift_terminal);
    require<ValueError>(scale > 0, "{}: shift_terminal {} cannot be reached in {} steps", config.class_name,
                        *config.shift_terminal, steps);
    for (double& s : sigmas) s = 1 - (1 - s) / scale;
  }
  constexpr double kShy = 1e-6;  // of pure noise, whose lambda is minus infinity
  if (std::abs(sigmas.front() - 1) < kShy) sigmas.front() -= kShy;
  for (const double s : sigmas) timesteps.push_back(s * total);
  const double last = to_zero ? 0 : sigmas.back();
  return finished(std::move(timesteps), std::move(sigmas), last);
}

}  // namespace plumb
