#pragma once

#include <string_view>

#include "diffusion/schedule/scheduler_config.h"

// The one list of a scheduler configuration's keys: which member each is, and which classes have it.

namespace plumb {

/// Calls visit(key, member, classes) for every key; bit `1 << SchedulerClass` of `classes` is set where that class has
/// the key. Config: SchedulerConfig or const SchedulerConfig.
template <class Config, class Visit>
// long: one line a key
void visit_scheduler_keys(Config& c, Visit&& visit) {
  constexpr auto of = [](auto... types) { return (0u | ... | (1u << unsigned(types))); };
  using enum SchedulerClass;
  constexpr unsigned kFlow = of(flow_euler), kPlms = of(pndm), kMulti = of(dpm_multistep, unipc),
                     kChain = of(ddpm, ddim), kSigma = of(euler, heun) | kMulti,
                     kBetas = of(euler_ancestral, other) | kChain | kPlms | kSigma;
  visit("num_train_timesteps", c.noise.num_train_timesteps, kBetas | kFlow);
  visit("beta_schedule", c.noise.beta_schedule, kBetas);
  visit("beta_start", c.noise.beta_start, kBetas);
  visit("beta_end", c.noise.beta_end, kBetas);
  visit("trained_betas", c.noise.trained_betas, kBetas);
  visit("rescale_betas_zero_snr", c.noise.rescale_betas_zero_snr, kChain | kMulti | of(euler, euler_ancestral));
  visit("prediction_type", c.prediction_type, kBetas);
  visit("timestep_spacing", c.timestep_spacing, kBetas);
  visit("steps_offset", c.steps_offset, kBetas);
  visit("set_alpha_to_one", c.set_alpha_to_one, of(ddim, pndm));
  visit("skip_prk_steps", c.skip_prk_steps, kPlms);
  visit("clip_sample", c.clip_sample, kChain | of(heun));
  visit("clip_sample_range", c.clip_sample_range, kChain | of(heun));
  visit("thresholding", c.thresholding, kChain | kMulti);
  visit("dynamic_thresholding_ratio", c.dynamic_thresholding_ratio, kChain | kMulti);
  visit("sample_max_value", c.sample_max_value, kChain | kMulti);
  visit("variance_type", c.variance_type, of(ddpm));
  visit("interpolation_type", c.interpolation_type, of(euler));
  visit("use_karras_sigmas", c.use_karras_sigmas, kSigma | kFlow);
  visit("use_exponential_sigmas", c.use_exponential_sigmas, kSigma | kFlow);
  visit("use_beta_sigmas", c.use_beta_sigmas, kSigma | kFlow);
  visit("use_lu_lambdas", c.use_lu_lambdas, of(dpm_multistep));
  visit("sigma_min", c.sigma_min, of(euler, unipc));
  visit("sigma_max", c.sigma_max, of(euler, unipc));
  visit("final_sigmas_type", c.final_sigmas_type, of(euler) | kMulti);
  visit("timestep_type", c.timestep_type, of(euler));
  visit("solver_order", c.solver_order, kMulti);
  visit("solver_type", c.solver_type, kMulti);
  visit("algorithm_type", c.algorithm_type, of(dpm_multistep));
  visit("lower_order_final", c.lower_order_final, kMulti);
  visit("euler_at_final", c.euler_at_final, of(dpm_multistep));
  visit("lambda_min_clipped", c.lambda_min_clipped, of(dpm_multistep));
  visit("predict_x0", c.predict_x0, of(unipc));
  visit("disable_corrector", c.disable_corrector, of(unipc));
  visit("use_flow_sigmas", c.use_flow_sigmas, kMulti);
  visit("flow_shift", c.flow_shift, kMulti);
  visit("shift", c.shift, kFlow);
  visit("shift_terminal", c.shift_terminal, kFlow | of(unipc));
  visit("use_dynamic_shifting", c.use_dynamic_shifting, kFlow | kMulti);
  visit("time_shift_type", c.time_shift_type, kFlow | kMulti);
  visit("base_shift", c.base_shift, kFlow);
  visit("max_shift", c.max_shift, kFlow);
  visit("base_image_seq_len", c.base_image_seq_len, kFlow);
  visit("max_image_seq_len", c.max_image_seq_len, kFlow);
  visit("invert_sigmas", c.invert_sigmas, kFlow);
  visit("stochastic_sampling", c.stochastic_sampling, kFlow);
}

}  // namespace plumb
