#pragma once

#include "engine/random/random_key.h"
#include "nn/visitors.h"

namespace plumb {

/// Adds normal noise of the given standard deviation to every weight: the way off the reference for DSPO-ref, whose
/// gradient there is exactly zero. Each weight draws from key.fork(its name). Throws ValueError for a deviation that is
/// negative or not finite.
void perturb_weights(const ParameterList& weights, double deviation, const RandomKey& key);

}  // namespace plumb
