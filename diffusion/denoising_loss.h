#pragma once

#include "diffusion/denoiser.h"
#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"

namespace plumb {

/// Clean samples with the randomness one training step adds to them.
struct DenoisingBatch {
  Tensor x0;            ///< [N, …]
  Tensor noise;         ///< like x0
  Tensor t;             ///< i64 [N], 0 <= t < T
  Condition condition;  ///< N rows
};

/// The pretraining loss:  mean over samples and elements of (predict(x_t, t, c) - target)^2     [Ho et al. 2020, Eq.
/// 14] Returns a scalar Variable, f32 (f64 for f64). Throws ShapeError, IndexError.
Variable denoising_loss(Denoiser& model, const NoiseSchedule& schedule, Prediction prediction,
                        const DenoisingBatch& batch);

}  // namespace plumb
