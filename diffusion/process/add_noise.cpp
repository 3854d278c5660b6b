#include "diffusion/process/add_noise.h"

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Tensor add_noise(const NoiseSchedule& schedule, const Tensor& x0, const Tensor& noise, const Tensor& t) {
  require<ShapeError>(x0.rank() >= 1 && t.rank() == 1 && t.size(0) == x0.size(0),
                      "add_noise: need one timestep per sample; x0 {}, t {}", x0, t);
  return add_noise(schedule.level(t, x0.rank(), x0.dtype()), x0, noise);
}

Tensor add_noise(const NoiseLevel& level, const Tensor& x0, const Tensor& noise) {
  require<ShapeError>(x0.shape() == noise.shape(), "add_noise: noise must have x0's shape; x0 {}, noise {}", x0, noise);
  return level.alpha * x0 + level.sigma * noise;
}

}  // namespace plumb
