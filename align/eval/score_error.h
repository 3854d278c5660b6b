#pragma once

#include <vector>

#include "align/worlds/gaussians2d.h"
#include "diffusion/denoiser.h"

namespace plumb {

/// Root mean square over points, axes and timesteps of (predicted noise - exact noise of the clean world), at points
/// the forward process of the clean world visits: 64 points for each class and timestep. Epsilon prediction.
double score_error(Denoiser& model, const Gaussians2d& world, const NoiseSchedule& schedule, const RandomKey& key);

/// The same for each timestep by itself, [T].
std::vector<double> score_error_by_timestep(Denoiser& model, const Gaussians2d& world, const NoiseSchedule& schedule,
                                            const RandomKey& key);

}  // namespace plumb
