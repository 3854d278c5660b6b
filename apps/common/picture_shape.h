#pragma once

#include <optional>
#include <string_view>

#include "diffusion/pipeline/pipeline.h"

namespace plumb {

/// What the autoencoder divides sides by; 1 without one.
int64_t reduction_of(const Pipeline& pipeline);

/// Side in pixels of what a pipeline is fed: as asked for, or its network's sample size times the autoencoder's
/// reduction; where a network names no size, `otherwise` stands for it (0: it must be asked for). Throws UsageError
/// "VERB: …" for a side that the network cannot take.
int64_t resolution_of(std::string_view verb, const Pipeline& pipeline, std::optional<int64_t> asked,
                      int64_t otherwise = 0);

/// Of a sample as the network sees it, [C, H, W], at a resolution in pixels.
Shape sample_shape(const Pipeline& pipeline, int64_t resolution);

/// Throws UsageError unless the network takes what comes before it: the autoencoder's latents, or pictures.
void require_picture_channels(std::string_view verb, const Pipeline& pipeline);

}  // namespace plumb
