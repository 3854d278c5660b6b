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
  /// Samples that go through the model together; 0: all. A small network runs faster when its activations fit the
  /// cache.
  int64_t rows_per_pass = 0;
};

/// What sampling starts from; one row a sample. It may lie on another device than the model: samples then come back to
/// where the noise is.
struct SamplerStart {
  Tensor noise;              ///< [N, …], pure noise
  Condition condition = {};  ///< N rows
  Condition negative = {};   ///< N rows; read when guidance_scale is not 1
  RandomKey key = {};        ///< noise of stochastic steps, by step and row: a sample depends on its own row alone
};

/// Draws samples: x = initial noise, then one step per timestep of the schedule. The model is evaluated without
/// recording. Returns [N, …]. `trajectory`, when given, receives x before the first and after every step.
/// Throws ValueError on impossible options.
Tensor sample(Denoiser& model, const NoiseSchedule& schedule, const SamplerStart& start, const SamplerOptions& options,
              std::vector<Tensor>* trajectory = nullptr);

}  // namespace plumb
