#pragma once

#include "apps/common/plot/figure.h"
#include "engine/profile/memory_timeline.h"

namespace plumb::trace {

/// Bytes in use over time, a colour a phase, with a cross at the peak.
plot::Figure memory_figure(const Profile& profile, const MemoryTimeline& timeline, const std::string& title);

}  // namespace plumb::trace
