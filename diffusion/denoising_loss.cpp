#include "diffusion/denoising_loss.h"

#include "autograd/ops.h"
#include "diffusion/process/add_noise.h"

namespace plumb {

Variable denoising_loss(Denoiser& model, const NoiseSchedule& schedule, Prediction prediction,
                        const DenoisingBatch& batch) {
  const NoiseLevel level = schedule.level(batch.t, batch.x0.rank(), batch.x0.dtype());
  const Tensor x = add_noise(level, batch.x0, batch.noise);
  const Variable output = model.predict(x, schedule.network_time(batch.t), batch.condition);
  return mse(output, Variable(prediction_target(prediction, level, batch.x0, batch.noise)));
}

}  // namespace plumb
