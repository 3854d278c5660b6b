#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/common/config.h"
#include "engine/io/json.h"
#include "nn/optim/lr_schedule.h"

namespace plumb {

/// The settings that decide what a training run computes, under their flags' names: kept in its checkpoints. Where
/// files lie, how many threads work, what is watched and how often a checkpoint is written may change. So may
/// max_train_steps while the learning rate of `kind` does not depend on it. `left_out` are further names that do not
/// count.
Json run_identity(const ConfigEntries& resolved, LrScheduleKind kind, const std::vector<std::string_view>& left_out);

/// Throws UsageError naming the first setting in which the checkpoint `name` differs from this run. Keys ending in
/// "_sha256" stand for data, not for a flag.
void check_same_run(std::string_view verb, const std::string& name, const Json& saved, const Json& wanted);

}  // namespace plumb
