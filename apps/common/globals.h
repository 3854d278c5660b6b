#pragma once

#include "apps/common/cli.h"
#include "engine/device.h"

namespace plumb {

/// Where a verb can work.
enum class RunsOn { cpu, cpu_and_cuda };

/// Puts --threads, --winograd and --deterministic into force and gives the device --device names; "auto" is the CPU as
/// long as most verbs know nothing else. Throws UsageError for a device that this build, this machine or the verb
/// lacks.
Device apply_globals(const GlobalFlags& global, RunsOn runs_on = RunsOn::cpu);

}  // namespace plumb
