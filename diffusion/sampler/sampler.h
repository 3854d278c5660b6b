#pragma once

#include <vector>

#include "diffusion/denoiser.h"
#include "diffusion/sampler/ddim.h"
#include "diffusion/sampler/ddpm.h"
#include "diffusion/sampler/timesteps.h"
#include "engine/random/random_key.h"

namespace plumb {

enum class SamplerKind { ddim, ddpm };

struct SamplerOptions {
  SamplerKind kind = SamplerKind::ddim;
  int64_t steps = 50;
  TimestepSpacing spacing = TimestepSpacing::trailing;
  int64_t steps_offset = 0;
  Prediction prediction = Prediction::epsilon;
  double eta = 0;  ///< DDIM only
  bool clip_sample = false;
  double guidance_scale = 1;  ///< 1: no guidance, the negative condition is not read
};

/// Draws samples: x = initial noise, then one step per timestep of the schedule.
/// model: evaluated without recording · noise: [N, …], pure noise to start from · condition, negative: N rows ·
/// key: noise of stochastic steps, forked by step, so that a sample depends on its own row alone · returns [N, …].
/// `trajectory`, when given, receives x before the first and after every step.
/// Throws ValueError on impossible options.
Tensor sample(Denoiser& model, const NoiseSchedule& schedule, const Tensor& noise, const Condition& condition,
              const RandomKey& key, const SamplerOptions& options, const Condition& negative = {},
              std::vector<Tensor>* trajectory = nullptr);

}  // namespace plumb
