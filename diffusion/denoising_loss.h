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

/// What min-SNR weighs the errors of samples with, snr = alpha^2 / sigma^2:             [Hang et al. 2023, Eq. 6 and 7]
///   epsilon        min(snr, gamma) / snr
///   sample         min(snr, gamma)
///   v_prediction   min(snr, gamma) / (snr + 1)
/// level: of variance-preserving noise · returns [N], the level's dtype. 0 snr is no division by 0.
/// Throws ValueError for flow and unless gamma > 0.
Tensor min_snr_weights(Prediction prediction, const NoiseLevel& level, double gamma);

/// The loss with each sample's mean error weighted as above; gamma 0 weighs all alike.
Variable min_snr_loss(Denoiser& model, const NoiseSchedule& schedule, Prediction prediction,
                      const DenoisingBatch& batch, double gamma);

}  // namespace plumb
