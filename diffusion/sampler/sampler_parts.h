#pragma once

#include <memory>
#include <vector>

#include "diffusion/sampler/make_sampler.h"

// What the samplers of this folder share; not for use outside it.

namespace plumb {

std::unique_ptr<Sampler> make_ddpm_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_ddim_sampler(const SchedulerConfig& config, int64_t steps, double eta);
std::unique_ptr<Sampler> make_pndm_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_euler_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_euler_ancestral_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_heun_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_dpm_multistep_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_unipc_sampler(const SchedulerConfig& config, int64_t steps);
std::unique_ptr<Sampler> make_flow_euler_sampler(const SchedulerConfig& config, int64_t steps);

/// Timesteps of `config`'s spacing, noisiest first; linspace is not rounded.
std::vector<double> spaced_timesteps(const SchedulerConfig& config, int64_t steps);
/// Those of multistep solvers, which leave out the clean end: whole numbers, of the first `last` training timesteps.
std::vector<double> multistep_timesteps(const SchedulerConfig& config, int64_t steps, int64_t last);

/// sqrt((1 - abar) / abar) of every training timestep. `finite_end`: a terminal abar of zero counts as 2^-24.
std::vector<float> training_sigmas(const SchedulerConfig& config, bool finite_end);
/// The table at a fractional index, by lines; its ends outside.
double interpolated(const std::vector<float>& table, double index);
/// From most to least noise, evenly spaced in sigma^(1/7).                             [Karras et al. 2022, Eq. 5]
std::vector<double> karras_sigmas(double sigma_min, double sigma_max, int64_t count);
/// The fractional timestep of a noise level, by lines in log sigma.
double timestep_of(double sigma, const std::vector<float>& training_sigmas);

/// Throws ValueError naming the first of use_exponential_sigmas, use_beta_sigmas that is set.
void refuse_other_sigmas(const SchedulerConfig& config);

/// The clean sample a prediction implies at x = x0 + sigma noise. sigma must not be 0.
Tensor x0_of_sigma(Prediction kind, float sigma, const Tensor& x, const Tensor& prediction);

/// sqrt(abar_t), sqrt(1 - abar_t) and what they imply, at one timestep of a variance-preserving schedule.
struct ChainLevel {
  float abar;
  Tensor x0(Prediction kind, const Tensor& x, const Tensor& prediction) const;
  Tensor noise(Prediction kind, const Tensor& x, const Tensor& prediction) const;
  Tensor add_noise(const Tensor& clean, const Tensor& noise) const;
};

}  // namespace plumb
