#pragma once

#include "apps/sample/picture_files.h"
#include "apps/sample/prompts.h"
#include "apps/sample/settings.h"
#include "diffusion/pipeline/pipeline.h"

namespace plumb {

/// What is drawn, in order: every picture with everything that is known of it before. Throws UsageError for what the
/// model cannot do: prompts without a text encoder, a size that does not fit, guidance away from nothing.
std::vector<PictureFacts> plan_pictures(const SampleSettings& settings, const Pipeline& pipeline);

/// Whether the network is told by text what to draw.
bool takes_text(const Pipeline& pipeline);

/// The scheduler's configuration with --sampler and --timestep_spacing laid over it.
SchedulerConfig chosen_scheduler(const SampleSettings& settings, const Pipeline& pipeline);

}  // namespace plumb
