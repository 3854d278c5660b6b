#include "apps/toy2d/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/common/nearest.h"
#include "apps/toy2d/method_settings.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

/// Rows of every run, which are no methods but may be named.
constexpr std::array<std::string_view, 4> kRowNames = {"truth", "noisy", "reference", "reference_guided"};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods()) names.push_back(method.name);
  return names;
}

void check_name(const std::string& name, std::string_view where, std::vector<std::string> known) {
  if (contains(known, name)) return;
  const std::string close = nearest(name, known);
  raise<UsageError>("unknown method {} ({}){}; known: {}", name, where,
                    close.empty() ? "" : fmt::format("; did you mean {}?", close), fmt::join(known, ", "));
}

}  // namespace

const std::vector<Method>& all_methods() {
  static const std::vector<Method> methods = {
      {.name = "sft", .label = "SFT", .objective = "sft", .learning_rate = 3e-4, .steps = 100},
      {.name = "diffusion_dpo", .label = "Diffusion-DPO", .objective = "diffusion_dpo"},
      {.name = "dspo", .label = "DSPO", .objective = "dspo", .beta = 0.001, .learning_rate = 1e-4, .steps = 200},
      {.name = "dspo_e", .label = "DSPO-E", .objective = "dspo_e", .beta = 0.001, .learning_rate = 1e-4, .steps = 200},
      {.name = "dspo_ref",
       .label = "DSPO-ref (degenerate)",
       .objective = "dspo_ref",
       .beta = 0.001,
       .learning_rate = 1e-4,
       .steps = 200,
       .degenerate = true,
       .in_table = false},
      {.name = "dspo_xl", .label = "DSPO-XL", .objective = "dspo_xl", .in_table = false},
      {.name = "diffusion_kto", .label = "Diffusion-KTO", .objective = "diffusion_kto", .beta = 10, .steps = 75},
      {.name = "mapo", .label = "MaPO", .objective = "mapo", .beta = 0.01, .steps = 150},
      {.name = "self_dpo", .label = "Self-DPO", .objective = "self_dpo", .pairs = PairKind::downgraded},
      {.name = "ddspo_oracle", .label = "DDSPO, oracle", .objective = "ddspo", .policy = PolicyKind::oracle},
      {.name = "ddspo_tf", .label = "DDSPO, training-free", .objective = "ddspo", .policy = PolicyKind::training_free},
      {.name = "ddspo_dd",
       .label = "DDSPO, data-driven",
       .objective = "ddspo",
       .policy = PolicyKind::data_driven,
       .in_table = false},
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
      {.name = "rethinking",
       .label = "Rethinking DPO",
       .objective = "diffusion_dpo",
       .timesteps = {.kind = TimestepSampling::aware, .gamma = 0.9, .bins = 50},
       .reward_scale = RewardScale::minmax,
       .reference_update = ReferenceUpdateOptions{.tau = 32, .delta = 0.05}},
  };
  return methods;
}

const Method& method_named(std::string_view name) {
  for (const Method& method : all_methods())
    if (method.name == name) return method;
  raise<ValueError>("toy2d: no such method ({})", name);
}

std::vector<std::string> table_method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods())
    if (method.in_table) names.push_back(method.name);
  return names;
}

ObjectiveSettings objective_settings(const Method& method) {
  const auto text = [](double value) { return fmt::format("{}", value); };
  const double lambda = method.lambda.value_or(method.beta);
  ObjectiveSettings settings = {{"reduction", method.objective == "mapo" ? "mean" : "sum"}};
  if (method.objective == "mapo") {
    settings.emplace_back("b", text(method.beta));
  } else if (method.objective == "dspo_e") {
    settings.emplace_back("lambda", text(lambda));
  } else if (has_temperature(method)) {
    settings.emplace_back("lambda", text(lambda));
    settings.emplace_back("temperature", text(2 * method.temperature.value_or(method.beta)));
  } else if (method.objective != "sft") {
    settings.emplace_back("beta", text(method.objective == "diffusion_kto" ? method.beta : 2 * method.beta));
  }
  settings.insert(settings.end(), method.options.begin(), method.options.end());
  return settings;
}

std::string describe(const Method& m) {
  std::string text = fmt::format("{} {}", m.name, m.objective);
  for (const auto& [key, value] : objective_settings(m)) text += fmt::format(" {}={}", key, value);
  text += fmt::format("; lr {:g}; {} pairs a step; policy {} pairs {} negative {}", m.learning_rate, m.pairs_per_step,
                      int(m.policy), int(m.pairs), int(m.negative));
  if (m.policy == PolicyKind::data_driven)
    text += fmt::format("; adapters rank {} alpha {:g} lr {:g} steps {}", m.adapters.rank, m.adapters.alpha,
                        m.adapters.learning_rate, m.adapters.steps);
  if (m.timesteps.kind != TimestepSampling::uniform)
    text += fmt::format("; timesteps {} gamma {:g} bins {}", name_of(m.timesteps.kind), m.timesteps.gamma,
                        m.timesteps.bins);
  if (m.reward_scale != RewardScale::none) text += fmt::format("; reward scale {}", name_of(m.reward_scale));
  if (m.reference_update)
    text += fmt::format("; tau {} delta {:g} test {} policy {}", m.reference_update->tau, m.reference_update->delta,
                        int(m.reference_update->test), int(m.reference_update->policy));
  return text;
}

std::vector<Method> choose_methods(const std::vector<std::string>& names, const KeyValues& settings) {
  const bool all = contains(names, "all");
  std::vector<std::string> known = method_names();
  for (const auto& [key, value] : settings) {
    const size_t dot = key.find('.');
    require<UsageError>(dot != std::string::npos, "--set needs METHOD.key=value (got {}={}); try --set {}.{}={}", key,
                        value, all_methods().front().name, key, value);
    check_name(key.substr(0, dot), "in --set", known);
  }
  known.insert(known.end(), kRowNames.begin(), kRowNames.end());
  known.push_back("all");
  for (const std::string& name : names) check_name(name, "in --methods", known);
  std::vector<Method> chosen;
  for (Method method : all_methods()) {
    if (!all && !contains(names, method.name)) continue;
    apply_method_settings(method, settings);
    chosen.push_back(std::move(method));
  }
  return chosen;
}

}  // namespace plumb::toy2d
