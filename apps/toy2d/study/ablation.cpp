#include <limits>

#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

/// Rate and beta were chosen on seeds 100 and 101 so that Diffusion-DPO neither runs away within the last of
/// kAblationSteps nor has its reference out of reach; the bound is a fiftieth of the reference's own error on winners.
constexpr double kRate = 1e-5, kBeta = 30, kDelta = 0.01;

Method with_update(Method method, int64_t tau, bool bounded) {
  ReferenceUpdateOptions update = method_named("rethinking").reference_update.value();
  update.tau = tau;
  update.delta = bounded ? kDelta : std::numeric_limits<double>::infinity();
  method.reference_update = update;
  return method;
}

Method with_time(Method method, double gamma, RewardScale scale) {
  method.timesteps = {.kind = TimestepSampling::aware, .gamma = gamma};
  method.reward_scale = scale;
  return method;
}

}  // namespace

std::string tau_variant(int64_t tau, bool bounded) {
  return fmt::format("exploration, tau {}{}", tau, bounded ? "" : ", no bound");
}

std::vector<StudyRun> ablation_runs(const Settings& settings, const std::vector<Method>& methods) {
  const Method* found = chosen_method(methods, "diffusion_dpo");
  if (!found || !chosen_method(methods, "rethinking")) return {};
  std::vector<StudyRun> runs;
  const auto add = [&](const std::string& variant, const Method& method) {
    for (const std::string& source : settings.pair_sources)
      runs.push_back({.part = kAblationPart,
                      .variant = variant,
                      .method = method,
                      .pairs = source,
                      .checkpoints = {kAblationSteps.begin(), kAblationSteps.end()}});
  };
  Method base = *found;
  base.learning_rate = kRate;
  base.beta = kBeta;
  const int64_t tau = method_named("rethinking").reference_update->tau;
  const Method exploring = with_update(base, tau, true);
  add(kAblationBase, base);
  add("time only", with_time(base, 0.9, RewardScale::minmax));
  for (int64_t t : kAblationTaus)
    for (bool bounded : {true, false}) add(tau_variant(t, bounded), with_update(base, t, bounded));
  for (double gamma : {0.8, 0.9}) {
    add(fmt::format("gamma {}", gamma), with_time(exploring, gamma, RewardScale::none));
    add(fmt::format("gamma {}, scale", gamma), with_time(exploring, gamma, RewardScale::minmax));
  }
  Method reinit = with_time(exploring, 0.9, RewardScale::minmax);
  reinit.reference_update->policy = ReferencePolicy::reinit;
  add("gamma 0.9, scale, re-init", reinit);
  Method faster = base, weaker = base;
  faster.learning_rate *= 5;
  weaker.beta /= 5;
  add("lr x 5", faster);
  add("beta / 5", weaker);
  return runs;
}

}  // namespace plumb::toy2d
