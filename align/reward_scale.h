#pragma once

#include <string_view>

#include "engine/tensor.h"

namespace plumb {

/// norm of the reward scale: x over T timesteps becomes
///   minmax   (x - min) / (max - min), in [0, 1]; 0 where all are equal
///   max      x / max
///   mean     x / mean
enum class RewardScale { none, minmax, max, mean };

/// "none", "minmax", "max", "mean". Throws ValueError listing them.
RewardScale reward_scale_from_name(std::string_view name);
std::string_view name_of(RewardScale norm);

/// SNR below this counts as this: the last step of a zero-terminal-SNR schedule (and flow at s = 1) would otherwise be
/// the only one with a scale. The published schedules stay above it.
inline constexpr double kLeastSnr = 1e-6;

/// The factor by which the logit of a pair at t is multiplied,
///   lambda(t) = 1 + norm(1 / sqrt(SNR(t))),   SNR = abar / (1 - abar) >= kLeastSnr
/// with minmax in [1, 2] and largest at the noisiest step.                    [the Rethinking DPO paper, Sec. 3]
/// alphas_cumprod: abar_t, [T] in [0, 1] · returns f64 [T]; ones for none.
/// Throws ShapeError, and ValueError for an abar outside [0, 1].
Tensor reward_scale(const Tensor& alphas_cumprod, RewardScale norm);

}  // namespace plumb
