#include "align/eval/score_error.h"

#include <cmath>

#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/visitors.h"

namespace plumb {

std::vector<double> score_error_by_timestep(Denoiser& model, const Gaussians2d& world, const NoiseSchedule& schedule,
                                            const RandomKey& key) {
  constexpr int64_t kPerClass = 64;
  NoGrad no_grad;
  const Tensor labels = labels_by_class(world.classes(), kPerClass);
  // The exact noise is the CPU's; only the network works elsewhere.
  const Device device = device_of(model);
  const Condition condition{.labels = labels.to(device)};
  std::vector<double> errors;
  for (int64_t step = 0; step < schedule.num_train_timesteps(); ++step) {
    const RandomKey at = key.at_step(uint64_t(step));
    const Tensor t = full({labels.numel()}, double(step), DType::i64);
    const Tensor x =
        add_noise(schedule, world.sample_clean(labels, at.fork("x0")), randn(at.fork("noise"), {labels.numel(), 2}), t);
    const Tensor predicted = model.predict(x.to(device), t.to(DType::f32).to(device), condition).value();
    errors.push_back(std::sqrt(mse(predicted.to(kCpu), world.clean_noise(schedule, x, t, labels)).item()));
  }
  return errors;
}

double score_error(Denoiser& model, const Gaussians2d& world, const NoiseSchedule& schedule, const RandomKey& key) {
  double total = 0;
  for (double error : score_error_by_timestep(model, world, schedule, key)) total += error * error;
  return std::sqrt(total / double(schedule.num_train_timesteps()));
}

}  // namespace plumb
