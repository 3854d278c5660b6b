#include <set>

#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

/// SFT with the learning rate and steps of every other method: is the objective more than its schedule?
void add_sft(const Settings& settings, const std::vector<Method>& methods, std::vector<StudyRun>& runs) {
  const Method* sft = chosen_method(methods, "sft");
  if (!sft) return;
  std::set<std::pair<double, int64_t>> schedules;
  for (const Method& method : methods) schedules.emplace(method.learning_rate, method.steps);
  for (const auto& [learning_rate, steps] : schedules)
    for (const std::string& source : settings.pair_sources) {
      Method method = *sft;
      method.learning_rate = learning_rate;
      method.steps = steps;
      runs.push_back(
          {.part = kControlPart, .variant = sft_variant(learning_rate, steps), .method = method, .pairs = source});
    }
}

/// What of TF-CPP comes from c-?
void add_training_free(const Settings& settings, const std::vector<Method>& methods, std::vector<StudyRun>& runs) {
  const Method* training_free = chosen_method(methods, "ddspo_tf");
  if (!training_free) return;
  const auto add = [&](const char* variant, NegativeKind negative, PolicyKind policy) {
    for (const std::string& source : settings.pair_sources) {
      Method method = *training_free;
      method.negative = negative;
      method.policy = policy;
      runs.push_back({.part = kControlPart, .variant = variant, .method = method, .pairs = source});
    }
  };
  add("ddspo_tf", NegativeKind::neighbor, PolicyKind::training_free);
  add("ddspo_tf, c- = c", NegativeKind::same, PolicyKind::training_free);
  if (settings.world.classes >= 4) add("ddspo_tf, unrelated c-", NegativeKind::unrelated, PolicyKind::training_free);
  add("ddspo_tf, branches swapped", NegativeKind::neighbor, PolicyKind::training_free_swapped);
}

/// DSPO's one beta is two numbers; at its default it is SFT.
void add_dspo(const Settings& settings, const std::vector<Method>& methods, std::vector<StudyRun>& runs) {
  const Method* dspo = chosen_method(methods, "dspo");
  if (!dspo) return;
  for (const std::string& source : settings.pair_sources)
    runs.push_back({.part = kControlPart, .variant = "dspo", .method = *dspo, .pairs = source});
  runs.push_back(
      {.part = kDspoPart, .variant = "dspo", .method = *dspo, .pairs = settings.pair_sources.front(), .seeds = 3});
  for (double temperature : kDspoTemperatures)
    for (double lambda : kDspoLambdas) {
      Method method = *dspo;
      method.temperature = temperature;
      method.lambda = lambda;
      runs.push_back({.part = kDspoPart,
                      .variant = dspo_variant(temperature, lambda),
                      .method = method,
                      .pairs = settings.pair_sources.front(),
                      .seeds = 3});
    }
}

/// Self-DPO's own ablation: its preference term alone.
void add_self_dpo(const Settings& settings, const std::vector<Method>& methods, std::vector<StudyRun>& runs) {
  const Method* self_dpo = chosen_method(methods, "self_dpo");
  if (!self_dpo) return;
  Method alone = *self_dpo;
  alone.options = {{"lambda1", "0"}, {"lambda2", "1"}};
  for (const std::string& source : settings.pair_sources) {
    runs.push_back({.part = kControlPart, .variant = "self_dpo", .method = *self_dpo, .pairs = source});
    runs.push_back({.part = kControlPart, .variant = kSelfDpoWithoutLoss, .method = alone, .pairs = source});
  }
}

}  // namespace

std::string sft_variant(double learning_rate, int64_t steps) {
  return fmt::format("sft, lr {:g}, {} steps", learning_rate, steps);
}

std::string dspo_variant(double temperature, double lambda) {
  return fmt::format("dspo, temperature {:g}, lambda {:g}", temperature, lambda);
}

std::vector<StudyRun> control_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  add_sft(settings, methods, runs);
  add_training_free(settings, methods, runs);
  add_self_dpo(settings, methods, runs);
  add_dspo(settings, methods, runs);
  return runs;
}

}  // namespace plumb::toy2d
