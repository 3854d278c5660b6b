#pragma once

#include "apps/sample/settings.h"
#include "engine/device.h"

namespace plumb {

/// Draws points from a model of `plumb train` into samples.safetensors and a scatter plot.
void sample_points(const Flags& flags, const SampleSettings& settings, Device device);

}  // namespace plumb
