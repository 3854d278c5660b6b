#include "apps/toy2d/method_settings.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

/// The wrappers of the Rethinking paper as flags, and back.
struct Wrappers {
  explicit Wrappers(const Method& method)
      : update(method.reference_update.value_or(ReferenceUpdateOptions{.tau = 0})), gamma(1) {
    if (method.timesteps.kind == TimestepSampling::aware) gamma = method.timesteps.gamma;
    bins = method.timesteps.bins;
    scale = method.reward_scale;
  }

  void add(Flags& keys, bool pairwise) {
    keys.add("--gamma", gamma, "timestep-aware sampling; 1: uniform", above_to(0, 1));
    keys.add("--bins", bins, "of timestep-aware sampling", between(1, 1e6));
    if (!pairwise) return;
    keys.add_choice("--reward_scale", scale,
                    {{"none", RewardScale::none},
                     {"minmax", RewardScale::minmax},
                     {"max", RewardScale::max},
                     {"mean", RewardScale::mean}},
                    "factor on the logit by timestep");
    keys.add("--tau", update.tau, "steps between reference updates; 0: never", between(0, 1e9));
    Constraint any;
    any.finite = false;
    keys.add("--delta", update.delta, "bound on the reference's divergence", any);
    keys.add_choice("--test", update.test,
                    {{"current", ReferenceTest::current}, {"candidate", ReferenceTest::candidate}}, "what is bounded");
    keys.add_choice("--policy", update.policy,
                    {{"freeze", ReferencePolicy::freeze}, {"reinit", ReferencePolicy::reinit}}, "beyond the bound");
  }

  void apply(Method& method) const {
    method.timesteps = {
        .kind = gamma == 1 ? TimestepSampling::uniform : TimestepSampling::aware, .gamma = gamma, .bins = bins};
    method.reward_scale = scale;
    method.reference_update.reset();
    if (update.tau > 0) method.reference_update = update;
  }

  ReferenceUpdateOptions update;
  double gamma;
  int64_t bins = 50;
  RewardScale scale = RewardScale::none;
};

/// An option of the objective that stays text.
struct TextOption {
  std::string key, value;
};

bool has_reference_and_pairs(const Method& method) {
  const std::string& name = method.objective;
  return name != "sft" && name != "mapo" && name != "dspo_e";
}

void add_adapters(Flags& keys, DataDrivenOptions& adapters) {
  keys.add("--rank", adapters.rank, "of the two policies' adapters", between(1, 1000));
  keys.add("--alpha", adapters.alpha, "scale of the adapters, over their rank", positive());
  keys.add("--adapter_lr", adapters.learning_rate, "step size of AdamW for the adapters", positive());
  keys.add("--adapter_steps", adapters.steps, "steps the adapters are trained", between(0, 1e6));
}

void add_own(Flags& keys, Method& method) {
  if (method.objective != "sft")
    keys.add("--beta", method.beta, "strength of the preference, toy units", non_negative());
  keys.add("--lr", method.learning_rate, "step size of Adam", positive()).alias("--learning_rate");
  keys.add("--steps", method.steps, "fine-tuning steps", between(1, 1e7));
  keys.add("--pairs_per_step", method.pairs_per_step, "pairs drawn for a step", between(1, 1e6));
  if (has_temperature(method) || method.objective == "dspo_e")
    keys.add("--lambda", method.lambda, "factor outside, apart from beta", non_negative());
  if (has_temperature(method))
    keys.add("--temperature", method.temperature, "inside z, apart from beta, toy units", non_negative());
  if (method.policy == PolicyKind::data_driven) add_adapters(keys, method.adapters);
}

/// Options of the objective that the toy leaves alone.
std::vector<TextOption> text_options(const Method& method) {
  if (method.objective == "self_dpo") return {{"lambda1", "0.5"}, {"lambda2", "0.5"}};
  if (method.objective == "diffusion_kto")
    return {{"offset", "mean"}, {"utility", "sigmoid"}, {"w_plus", "1"}, {"w_minus", "1"}};
  return {};
}

Constraint choices_of(const std::string& key) {
  if (key == "offset") return one_of({"mean", "balanced", "mismatched"});
  if (key == "utility") return one_of({"sigmoid", "loss_averse", "risk_seeking"});
  return {};
}

}  // namespace

bool has_temperature(const Method& method) { return method.objective == "dspo" || method.objective == "dspo_ref"; }

void apply_method_settings(Method& method, const KeyValues& settings) {
  Flags keys("toy2d", "");
  Wrappers wrappers(method);
  std::vector<TextOption> texts = text_options(method);
  add_own(keys, method);
  wrappers.add(keys, has_reference_and_pairs(method));
  for (TextOption& option : texts) keys.add("--" + option.key, option.value, "", choices_of(option.key));
  for (const auto& [key, value] : settings) {
    const size_t dot = key.find('.');
    if (key.substr(0, dot) == method.name) keys.assign(key.substr(dot + 1), value, "in --set " + method.name);
  }
  require<UsageError>(!std::isnan(wrappers.update.delta), "--delta expects a number (got nan in --set {})",
                      method.name);
  wrappers.apply(method);
  const std::vector<TextOption> usual = text_options(method);
  for (size_t i = 0; i < texts.size(); ++i)
    if (texts[i].value != usual[i].value) method.options.emplace_back(texts[i].key, texts[i].value);
  // Values of the objective that are text are read here, before any work.
  try {
    make_objective(method.objective, objective_settings(method));
  } catch (const ValueError& error) {
    raise<UsageError>("{} (in --set {})", error.what(), method.name);
  }
}

}  // namespace plumb::toy2d
