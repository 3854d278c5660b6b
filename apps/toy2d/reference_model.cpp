#include "apps/toy2d/reference_model.h"

#include <numbers>

#include "autograd/backward.h"
#include "diffusion/denoising_loss.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/optim/adam.h"
#include "nn/optim/lr_schedule.h"
#include "nn/visitors.h"

namespace plumb::toy2d {
namespace {

constexpr double kFinalFraction = 0.02;

DenoisingBatch draw_batch(const Tensor& points, const Tensor& labels, int64_t batch, int64_t timesteps,
                          const RandomKey& key) {
  const Device device = points.device();
  const Tensor index = randint(key.fork("index"), 0, points.size(0), {batch}, device);
  return {.x0 = index_select(points, 0, index),
          .noise = randn(key.fork("noise"), {batch, 2}, DType::f32, device),
          .t = randint(key.fork("t"), 0, timesteps, {batch}, device),
          .condition = {.labels = index_select(labels, 0, index)}};
}

}  // namespace

std::unique_ptr<PointDenoiser> train_reference(const Settings& settings, const Gaussians2d& world,
                                               const NoiseSchedule& schedule, const RandomKey& key,
                                               const StepObserver& observer) {
  const Tensor by_class = labels_by_class(world.classes(), settings.training_samples_per_class);
  const Tensor points = world.sample_noisy(by_class, key.fork("data")).to(settings.device);
  const Tensor labels = by_class.to(settings.device);
  Generator generator(key.fork("init").philox_key());
  auto model = std::make_unique<PointDenoiser>(PointDenoiserOptions{.classes = world.classes()}, generator);
  to_device(*model, settings.device);
  Adam adam(parameters(*model), {.learning_rate = settings.reference_learning_rate});
  const LrSchedule cosine{
      .kind = LrScheduleKind::cosine, .total_steps = settings.reference_steps, .final_fraction = kFinalFraction};
  for (int64_t step = 0; step < settings.reference_steps; ++step) {
    const DenoisingBatch batch = draw_batch(points, labels, settings.reference_batch, schedule.num_train_timesteps(),
                                            key.at_step(uint64_t(step)));
    adam.zero_grad();
    const Variable loss = denoising_loss(*model, schedule, Prediction::epsilon, batch);
    backward(loss);
    adam.set_learning_rate(settings.reference_learning_rate * lr_factor(step, cosine));
    adam.step();
    if (observer.call && !observer.call(observer.context, step + 1, loss.value().item())) break;
  }
  return model;
}

}  // namespace plumb::toy2d
