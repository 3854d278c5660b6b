#pragma once

#include "diffusion/schedule/noise_schedule.h"
#include "engine/tensor.h"

namespace plumb {

/// A sample of q(x_t | x0):  x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) noise        [Ho et al. 2020, Eq. 4]
/// x0, noise: [N, …] f32 or f64 · t: i64 [N], 0 <= t < T · returns like x0. Not differentiable.
/// Throws ShapeError, DTypeError, IndexError.
Tensor add_noise(const NoiseSchedule& schedule, const Tensor& x0, const Tensor& noise, const Tensor& t);

/// The same for levels already looked up.
Tensor add_noise(const NoiseLevel& level, const Tensor& x0, const Tensor& noise);

}  // namespace plumb
