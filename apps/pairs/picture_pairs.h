#pragma once

#include "apps/pairs/settings.h"
#include "engine/device.h"

namespace plumb {

/// The DDSPO paper's pipeline on a model of pictures, without labels of anyone: winners drawn with the prompt c, losers
/// with a degraded version c-, both from the same noise (and the same fresh noise in every step of a stochastic
/// sampler), in one batch. Writes the folder of pair_folder.h and pairs.png, the first pairs to look at. Goes on with
/// what an interrupted run of the same settings left. Returns an exit code.
int make_picture_pairs(const Flags& flags, const PairsSettings& settings, Device device);

}  // namespace plumb
