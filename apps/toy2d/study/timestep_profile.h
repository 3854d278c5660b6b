#pragma once

#include <vector>

#include "align/timestep_bins.h"
#include "align/worlds/gaussians2d.h"
#include "diffusion/denoiser.h"

namespace plumb::toy2d {

/// What a student learned at which noise level.
struct TimestepProfile {
  std::vector<double> score_error = {};   ///< [T], rms of (predicted - exact noise) of the clean world
  std::vector<TimestepBin> rewards = {};  ///< 10 bins: scale of the implicit reward against the initial model, errors
                                          ///< summed over both axes, and preference accuracy
};

/// The rewards are measured on 1000 fresh pairs a class: winners of the clean mode, losers of either neighbour, t
/// uniform, t and noise shared in a pair.
TimestepProfile timestep_profile(Denoiser& student, Denoiser& initial, const Gaussians2d& world,
                                 const NoiseSchedule& schedule, const RandomKey& key);

}  // namespace plumb::toy2d
