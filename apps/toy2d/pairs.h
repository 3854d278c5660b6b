#pragma once

#include "align/preference.h"
#include "apps/toy2d/settings.h"
#include "diffusion/point_denoiser.h"

namespace plumb::toy2d {

/// N pairs a class; the loser's class, which is also c-, alternates between the two neighbours.
/// Winner and loser are drawn from their clean modes.
PreferencePairs clean_pairs(const Gaussians2d& world, int64_t pairs_per_class, const RandomKey& key);

/// The paper's general pipeline: both sampled from the reference model by DDIM-25, with c and with c-, from the same
/// initial noise.
PreferencePairs reference_pairs(const Gaussians2d& world, int64_t pairs_per_class, PointDenoiser& reference,
                                const NoiseSchedule& schedule, const RandomKey& key);

}  // namespace plumb::toy2d
