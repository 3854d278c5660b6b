#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// Puts --threads and --winograd into force and checks --device. Throws UsageError for a device that this build or
/// machine lacks.
void apply_globals(const GlobalFlags& global);

}  // namespace plumb
