#pragma once

#include <vector>

#include "align/worlds/gaussians2d.h"
#include "diffusion/denoiser.h"

namespace plumb::toy2d {

inline constexpr int64_t kProfileBins = 10;

/// What a student learned at which noise level. Bins are equal parts of [0, T), the first the least noisy.
struct TimestepProfile {
  std::vector<double> score_error;    ///< [T], rms of (predicted - exact noise) of the clean world
  std::vector<double> reward_scale;   ///< [10], mean |r| over winners and losers,
                                      ///< r = e(initial) - e(student), errors summed over both axes
  std::vector<double> reward_margin;  ///< [10], mean of r(winner) - r(loser)
  std::vector<double> accuracy;       ///< [10], share of pairs with r(winner) > r(loser)
};

/// Measured on 100 fresh pairs a class and bin: winners of the clean mode, losers of either neighbour, t uniform in the
/// bin, t and noise shared in a pair.
TimestepProfile timestep_profile(Denoiser& student, Denoiser& initial, const Gaussians2d& world,
                                 const NoiseSchedule& schedule, const RandomKey& key);

}  // namespace plumb::toy2d
