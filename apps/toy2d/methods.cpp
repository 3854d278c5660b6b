#include "apps/toy2d/methods.h"

#include <algorithm>

#include "apps/common/nearest.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods()) names.push_back(method.name);
  return names;
}

void check_name(const std::string& name, std::string_view where) {
  const std::vector<std::string> names = method_names();
  if (std::find(names.begin(), names.end(), name) == names.end())
    raise<UsageError>("unknown method {} ({}); known: {}", name, where, fmt::join(names, ", "));
}

void apply_settings(Method& method, const KeyValues& settings) {
  Flags keys("toy2d", "");
  keys.add("--beta", method.beta, "strength of the preference, toy units", non_negative());
  keys.add("--lr", method.learning_rate, "step size of Adam", positive()).alias("--learning_rate");
  keys.add("--steps", method.steps, "fine-tuning steps", between(1, 1e7));
  keys.add("--pairs_per_step", method.pairs_per_step, "pairs drawn for a step", between(1, 1e6));
  for (const auto& [key, value] : settings) {
    const size_t dot = key.find('.');
    if (key.substr(0, dot) == method.name) keys.assign(key.substr(dot + 1), value, "in --set " + method.name);
  }
}

}  // namespace

const std::vector<Method>& all_methods() {
  static const std::vector<Method> methods = {
      {.name = "sft", .label = "SFT", .objective = "sft", .learning_rate = 3e-4, .steps = 100},
      {.name = "diffusion_dpo", .label = "Diffusion-DPO", .objective = "diffusion_dpo"},
      {.name = "ddspo_oracle", .label = "DDSPO, oracle", .objective = "ddspo", .policy = PolicyKind::oracle},
      {.name = "ddspo_tf", .label = "DDSPO, training-free", .objective = "ddspo", .policy = PolicyKind::training_free},
      {.name = "ddspo_rand_positive",
       .label = "DDSPO, rand-positive",
       .objective = "ddspo",
       .policy = PolicyKind::training_free,
       .pairs = PairKind::rand_positive},
      {.name = "ddspo_not_paired",
       .label = "DDSPO, not-paired",
       .objective = "ddspo",
       .policy = PolicyKind::training_free,
       .pairs = PairKind::not_paired,
       .steps = 75},
  };
  return methods;
}

std::vector<Method> choose_methods(const std::vector<std::string>& names, const KeyValues& settings) {
  const bool all = std::find(names.begin(), names.end(), "all") != names.end();
  if (!all)
    for (const std::string& name : names) check_name(name, "in --methods");
  for (const auto& [key, value] : settings) {
    const size_t dot = key.find('.');
    require<UsageError>(dot != std::string::npos, "--set needs METHOD.key=value (got {}={}); try --set {}.{}={}", key,
                        value, all_methods().front().name, key, value);
    check_name(key.substr(0, dot), "in --set");
  }
  std::vector<Method> chosen;
  for (Method method : all_methods()) {
    if (!all && std::find(names.begin(), names.end(), method.name) == names.end()) continue;
    apply_settings(method, settings);
    chosen.push_back(std::move(method));
  }
  return chosen;
}

}  // namespace plumb::toy2d
