#include "apps/toy2d/study/parts.h"

namespace plumb::toy2d {

std::vector<StudyRun> timestep_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  const auto add = [&](const std::string& variant, const Method& method) {
    runs.push_back({.part = kTimestepPart,
                    .variant = variant,
                    .method = method,
                    .pairs = settings.pair_sources.front(),
                    .by_timestep = true});
  };
  for (const char* name : {"sft", "diffusion_dpo", "self_dpo", "ddspo_oracle", "ddspo_tf", "rethinking"})
    if (const Method* method = chosen_method(methods, name)) add(name, *method);
  for (const StudyRun& run : ablation_runs(settings, methods))
    if (run.variant == tau_variant(32, true) && run.pairs == settings.pair_sources.front()) {
      Method method = run.method;
      method.steps = kAblationSteps.back();
      add(kExplorer, method);
    }
  return runs;
}

}  // namespace plumb::toy2d
