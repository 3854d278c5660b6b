#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr double kRunawayRate = 1e-4;

}  // namespace

std::vector<StudyRun> trajectory_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  const auto add = [&](const std::string& variant, const Method& method) {
    runs.push_back({.part = kTrajectoryPart,
                    .variant = variant,
                    .method = method,
                    .pairs = settings.pair_sources.front(),
                    .checkpoints = {kTrajectorySteps.begin(), kTrajectorySteps.end()},
                    .seeds = 3});
  };
  for (const Method& method : methods)
    if (!method.degenerate) add(method.name, method);
  for (const char* name : {"diffusion_dpo", "ddspo_tf"})
    if (const Method* found = chosen_method(methods, name)) {
      Method fast = *found;
      fast.learning_rate = kRunawayRate;
      add(fmt::format("{}, lr {:g}", name, kRunawayRate), fast);
    }
  return runs;
}

}  // namespace plumb::toy2d
