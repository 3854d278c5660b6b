#include "diffusion/sampler/sampler.h"

#include <algorithm>

#include "autograd/grad_mode.h"
#include "diffusion/guidance.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

Tensor sample_slices(Denoiser& model, const NoiseSchedule& schedule, const SamplerStart& start,
                     const SamplerOptions& options) {
  SamplerOptions whole = options;
  whole.rows_per_pass = 0;
  const int64_t count = start.noise.size(0);
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < count; begin += options.rows_per_pass) {
    const int64_t end = std::min(begin + options.rows_per_pass, count);
    parts.push_back(sample(model, schedule,
                           {.noise = slice(start.noise, 0, begin, end),
                            .condition = start.condition.rows(begin, end),
                            .negative = start.negative.rows(begin, end),
                            .key = start.key.at_sample(start.key.sample0 + uint64_t(begin))},
                           whole));
  }
  return cat(parts, 0);
}

/// Sampling on the model's device from a start elsewhere.
Tensor sample_there(Denoiser& model, const NoiseSchedule& schedule, const SamplerStart& start,
                    const SamplerOptions& options, std::vector<Tensor>* trajectory) {
  const Device there = device_of(model), here = start.noise.device();
  const SamplerStart moved{start.noise.to(there), start.condition.to(there), start.negative.to(there), start.key};
  const size_t before = trajectory ? trajectory->size() : 0;
  const Tensor samples = sample(model, schedule, moved, options, trajectory);
  if (trajectory)
    for (size_t i = before; i < trajectory->size(); ++i) (*trajectory)[i] = (*trajectory)[i].to(here);
  return samples.to(here);
}

}  // namespace

Tensor sample(Denoiser& model, const NoiseSchedule& schedule, const SamplerStart& start, const SamplerOptions& options,
              std::vector<Tensor>* trajectory) {
  if (device_of(model) != start.noise.device()) return sample_there(model, schedule, start, options, trajectory);
  if (options.rows_per_pass > 0 && start.noise.size(0) > options.rows_per_pass && !trajectory)
    return sample_slices(model, schedule, start, options);
  require<ValueError>(!schedule.is_flow(), "sample: DDPM and DDIM need a variance-preserving schedule, not flow");
  NoGrad no_grad;
  const std::vector<int64_t> timesteps =
      sampling_timesteps({schedule.num_train_timesteps(), options.steps, options.spacing, options.steps_offset});
  const bool stochastic = options.kind == SamplerKind::ddpm || options.eta > 0;
  Tensor x = start.noise;
  if (trajectory) trajectory->push_back(x);
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const SamplerStep step{timesteps[i], i + 1 < timesteps.size() ? timesteps[i + 1] : -1};
    const Tensor t = full({x.size(0)}, double(step.t), DType::f32, x.device());
    const Tensor prediction = guided_prediction(model, x, t, start.condition, start.negative, options.guidance_scale);
    const Tensor fresh =
        stochastic ? randn(start.key.at_step(uint64_t(i)), x.shape(), x.dtype(), x.device()) : Tensor();
    x = options.kind == SamplerKind::ddim
            ? ddim_step(schedule, step, x, prediction, fresh,
                        {.prediction = options.prediction, .eta = options.eta, .clip_sample = options.clip_sample})
            : ddpm_step(schedule, step, x, prediction, fresh,
                        {.prediction = options.prediction, .clip_sample = options.clip_sample});
    if (trajectory) trajectory->push_back(x);
  }
  return x;
}

}  // namespace plumb
