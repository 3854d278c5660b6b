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

/// Key of a hash over all of a model's weights, where they are few enough for one at every start.
inline constexpr const char* kWeightsHash = "model_weights_sha256";

/// A setting in which two runs differ. `was` and `now` are JSON, or "not set".
struct RunDifference {
  std::string key;
  std::string was, now;

  /// Keys ending in "_sha256" stand for data or weights, not for a flag.
  bool is_data() const { return key.ends_with("_sha256"); }
};

/// Between the run that made a checkpoint and this one, in the order of the first.
std::vector<RunDifference> run_differences(const Json& saved, const Json& wanted);

/// Refuses to go on from the checkpoint `name` under other settings: throws UsageError naming the first difference.
/// With `changes_allowed` only other data or weights are refused.
void check_same_run(std::string_view verb, const std::string& name, const std::vector<RunDifference>& differences,
                    bool changes_allowed);

}  // namespace plumb
