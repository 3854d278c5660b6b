#include "apps/common/run_identity.h"

#include <algorithm>
#include <array>

#include "apps/common/exit_codes.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Flags of every training verb that change nothing in what a run computes.
constexpr std::array<std::string_view, 17> kRunOnly = {
    "async_checkpointing",
    "checkpointing_steps",
    "checkpoints_total_limit",
    "cuda_graph",
    "deterministic",
    "device",
    "health_collapse",
    "health_nan",
    "health_saturation",
    "health_spread",
    "health_window",
    "json",
    "out",
    "quiet",
    "report_to",
    "resume_from_checkpoint",
    "threads",
};

bool depends_on_total(LrScheduleKind kind) {
  return kind != LrScheduleKind::constant && kind != LrScheduleKind::constant_with_warmup &&
         kind != LrScheduleKind::inverse_sqrt;
}

constexpr const char* kNotSet = "not set";

}  // namespace

Json run_identity(const ConfigEntries& resolved, LrScheduleKind kind, const std::vector<std::string_view>& left_out) {
  Json all = to_json(resolved), kept = Json::object();
  for (const JsonMember& member : all.as_object()) {
    if (std::find(kRunOnly.begin(), kRunOnly.end(), member.key) != kRunOnly.end()) continue;
    if (std::find(left_out.begin(), left_out.end(), member.key) != left_out.end()) continue;
    // What f32 and AdamW always were; checkpoints from before there was a choice go on.
    if (member.key == "mixed_precision" && member.value == Json("no")) continue;
    if (member.key == "optimizer" && member.value == Json("adamw")) continue;
    if (member.key == "max_train_steps" && !depends_on_total(kind)) continue;
    kept.set(member.key, member.value);
  }
  return kept;
}

std::vector<RunDifference> run_differences(const Json& saved, const Json& wanted) {
  std::vector<RunDifference> found;
  for (const JsonMember& member : saved.as_object()) {
    const Json* now = wanted.find(member.key);
    if (!now || !(*now == member.value))
      found.push_back({member.key, member.value.dump(), now ? now->dump() : kNotSet});
  }
  for (const JsonMember& member : wanted.as_object())
    // Checkpoints from before it was written go on.
    if (!saved.find(member.key) && member.key != kWeightsHash)
      found.push_back({member.key, kNotSet, member.value.dump()});
  return found;
}

void check_same_run(std::string_view verb, const std::string& name, const std::vector<RunDifference>& differences,
                    bool changes_allowed) {
  for (const RunDifference& difference : differences) {
    require<UsageError>(!difference.is_data(),
                        "{}: {} was made from other {} ({}); give the same, or start afresh in "
                        "another --out",
                        verb, name, difference.key.starts_with("model") ? "weights" : "training data", difference.key);
    require<UsageError>(changes_allowed,
                        "{}: {} was made with --{} {} (this run: {}); give the same value, allow it with "
                        "--resume_with_changes, or start afresh in another --out",
                        verb, name, difference.key, difference.was, difference.now);
  }
}

}  // namespace plumb
