#pragma once

#include "apps/sample/settings.h"
#include "engine/device.h"

namespace plumb {

/// Draws pictures from a pipeline: unconditional, of classes, or of prompts. Writes 00000.png, … with their settings in
/// them, metadata.jsonl, and where asked for grid.png, samples.safetensors and previews.
/// A picture depends on its seed (that of the run and its number), not on what is drawn with it.
void sample_pictures(const Flags& flags, const SampleSettings& settings, Device device);

}  // namespace plumb
