#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {

const Method* chosen_method(const std::vector<Method>& methods, std::string_view name) {
  for (const Method& method : methods)
    if (method.name == name) return &method;
  return nullptr;
}

std::vector<StudyRun> pairs_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  for (const char* name : {"sft", "diffusion_dpo", "diffusion_kto", "ddspo_oracle", "ddspo_tf"})
    if (const Method* method = chosen_method(methods, name))
      for (const std::string& source : settings.pair_sources)
        for (int64_t count : kPairsPerClass)
          runs.push_back(
              {.part = kPairsPart, .variant = name, .method = *method, .pairs = source, .pairs_per_class = count});
  return runs;
}

std::vector<StudyRun> beta_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  for (const char* name : {"diffusion_dpo", "ddspo_tf"})
    if (const Method* found = chosen_method(methods, name))
      for (double beta : kBetas) {
        Method method = *found;
        method.beta = beta;
        runs.push_back({.part = kBetaPart,
                        .variant = beta_variant(name, beta),
                        .method = method,
                        .pairs = settings.pair_sources.front(),
                        .checkpoints = {kEarlySteps, kLateSteps},
                        .seeds = 3});
      }
  return runs;
}

std::string beta_variant(const std::string& method, double beta) { return fmt::format("{}, beta {:g}", method, beta); }

}  // namespace plumb::toy2d
