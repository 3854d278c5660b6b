#include "align/eval/score_error.h"

#include <cmath>

#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb {

double score_error(Denoiser& model, const Gaussians2d& world, const NoiseSchedule& schedule, const RandomKey& key) {
  constexpr int64_t kPerClass = 64;
  NoGrad no_grad;
  const Tensor labels = labels_by_class(world.classes(), kPerClass);
  double total = 0;
  for (int64_t step = 0; step < schedule.num_train_timesteps(); ++step) {
    const RandomKey at = key.at_step(uint64_t(step));
    const Tensor t = full({labels.numel()}, double(step), DType::i64);
    const Tensor x =
        add_noise(schedule, world.sample_clean(labels, at.fork("x0")), randn(at.fork("noise"), {labels.numel(), 2}), t);
    const Tensor predicted = model.predict(x, t.to(DType::f32), {.labels = labels}).value();
    total += mse(predicted, world.clean_noise(schedule, x, t, labels)).item();
  }
  return std::sqrt(total / double(schedule.num_train_timesteps()));
}

}  // namespace plumb
