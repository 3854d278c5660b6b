#include "diffusion/sampler/sample_pictures.h"

#include <algorithm>
#include <cmath>

#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

std::unique_ptr<Sampler> sampler_for(const PictureSamplerOptions& options, const PictureStart& start) {
  auto sampler = make_sampler(options.scheduler, options.steps, {.eta = options.eta});
  if (!start.init.defined()) return sampler;
  require<ValueError>(start.strength >= 0 && start.strength <= 1, "sample: strength must be in [0, 1] ({})",
                      start.strength);
  const int64_t taken = std::min(int64_t(double(options.steps) * start.strength), options.steps);
  require<ValueError>(taken >= 1, "sample: strength {} of {} steps leaves none to take", start.strength, options.steps);
  const bool runge_kutta = options.scheduler.type == SchedulerClass::pndm && !options.scheduler.skip_prk_steps;
  require<ValueError>(!runge_kutta || taken == options.steps,
                      "sample: PNDMScheduler cannot begin at a picture unless skip_prk_steps is true");
  sampler->start_at((options.steps - taken) * sampler->calls_per_step());
  return sampler;
}

}  // namespace

int64_t picture_calls(const PictureSamplerOptions& options, const PictureStart& start) {
  const auto sampler = sampler_for(options, start);
  return int64_t(sampler->timesteps().size()) - sampler->position();
}

Tensor sample_pictures(Denoiser& model, const PictureStart& start, PictureNoise& noise,
                       const PictureSamplerOptions& options,
                       const std::function<void(const PictureStep&)>& after_step) {
  NoGrad no_grad;
  const Device device = device_of(model);
  const auto sampler = sampler_for(options, start);
  const int64_t calls = int64_t(sampler->timesteps().size()) - sampler->position();
  Tensor x = noise.next(start.shape).to(device);
  if (start.init.defined()) {
    require<ShapeError>(start.init.shape() == x.shape(), "sample: init must be like the noise; {}, {}", start.init, x);
    x = sampler->add_noise(start.init.to(device), x);
  } else {
    x = x * sampler->init_noise_sigma();
  }
  for (int64_t done = 1; done <= calls; ++done) {
    const double at = sampler->timesteps()[size_t(sampler->position())];
    const Tensor t = full({x.size(0)}, at, DType::f32, device);
    const Tensor prediction =
        guided_prediction(model, sampler->scale_model_input(x), t, start.condition, start.negative, options.guidance);
    const Tensor fresh = sampler->is_stochastic() ? noise.next(start.shape).to(device) : Tensor();
    x = sampler->step(prediction, x, fresh);
    if (after_step) after_step({done, calls, at, sampler->scale_model_input(x)});
  }
  return x;
}

}  // namespace plumb
