#pragma once

#include <string_view>

#include "diffusion/schedule/noise_schedule.h"
#include "engine/tensor.h"

namespace plumb {

/// What a network's output means. With x = alpha x0 + sigma eps:
///   epsilon        eps                                                     [Ho et al. 2020]
///   sample         x0
///   v_prediction   alpha eps - sigma x0                                    [Salimans & Ho 2022]
///   flow           eps - x0, where alpha = 1 - s and sigma = s             [Lipman et al. 2023; Esser et al. 2024]
/// Every conversion between them is in this file.
enum class Prediction { epsilon, sample, v_prediction, flow };

/// "epsilon", "sample", "v_prediction", "flow_prediction" (diffusers' prediction_type). Throws ValueError.
Prediction prediction_from_name(std::string_view name);
std::string_view name_of(Prediction kind);

/// Levels of flow matching at time s in [0, 1]: alpha = 1 - s, sigma = s. s: f32 or f64 [N] · returns [N, 1, …].
NoiseLevel flow_level(const Tensor& s, int64_t rank);

/// What the network regresses at this level. x0, noise: [N, …] · returns the same shape.
Tensor prediction_target(Prediction kind, const NoiseLevel& level, const Tensor& x0, const Tensor& noise);

/// The clean sample implied by a prediction at x. For epsilon it is singular where alpha = 0 (zero terminal SNR).
Tensor predicted_x0(Prediction kind, const NoiseLevel& level, const Tensor& x, const Tensor& prediction);

/// The noise implied by a prediction at x. For sample it is singular where sigma = 0.
Tensor predicted_noise(Prediction kind, const NoiseLevel& level, const Tensor& x, const Tensor& prediction);

/// A prediction of one kind rewritten as another.
Tensor convert_prediction(Prediction from, Prediction to, const NoiseLevel& level, const Tensor& x,
                          const Tensor& prediction);

/// The epsilon prediction that belongs to a score:  eps = -sigma * grad_x log p_t(x)      [Song et al. 2021]
Tensor noise_from_score(const NoiseLevel& level, const Tensor& score);

}  // namespace plumb
