#include "apps/gradcheck/check.h"

#include <algorithm>
#include <cmath>

#include "apps/common/exit_codes.h"
#include "apps/gradcheck/op_cases.h"
#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

void add_result(GradientVerdict& verdict, const GradcheckResult& result, const std::string& what) {
  for (size_t i = 0; i < result.inputs.size(); ++i) {
    const GradcheckInput& input = result.inputs[i];
    if (!input.differentiable) continue;
    verdict.elements += numel(input.shape);
    if (input.worst_index < 0 || (!verdict.worst.empty() && input.worst_ratio <= verdict.ratio)) continue;
    verdict.worst = fmt::format("{}/{}[{}]", verdict.cases, i, input.worst_index);
    verdict.analytic = input.worst_analytic;
    verdict.numeric = input.worst_numeric;
    verdict.ratio = input.worst_ratio;
  }
  if (!result.passed) {
    verdict.passed = false;
    verdict.report += fmt::format("{} case {}{}\n{}", verdict.name, verdict.cases, what, result.report());
  }
  ++verdict.cases;
}

/// `settings` and key = value, if the objective has the key and it is not given yet.
ObjectiveSettings with_default(std::string_view name, const ObjectiveSettings& settings, const char* key,
                               const char* value) {
  ObjectiveSettings more = settings;
  more.emplace_back(key, value);
  try {
    make_objective(name, more);
  } catch (const ValueError&) {  // no such key, or the caller gave one
    return settings;
  }
  return more;
}

/// A strength at which the logits of random predictions do not saturate, and KTO's offset, which is detached, from
/// predictions that do not move with the weights: differences would see it move.
ObjectiveSettings checkable(std::string_view name, const ObjectiveSettings& settings) {
  return with_default(name, with_default(name, settings, "beta", "1"), "offset", "mismatched");
}

}  // namespace

GradientVerdict check_op(std::string_view name, const RandomKey& key) {
  const OpEntry& op = find_op(name);
  GradientVerdict verdict{.name = std::string(name)};
  verdict.has_gradient = !has_no_gradient(name);
  if (!verdict.has_gradient) return verdict;
  const std::vector<OpCase> cases = cases_of(name);
  require<Error>(!cases.empty(), "gradcheck: {} has no case; add one to apps/gradcheck", name);
  for (const OpCase& item : cases) {
    const RandomKey case_key = key.fork(name).at_step(uint64_t(verdict.cases));
    std::vector<Tensor> inputs;
    for (const InputSpec& spec : item.inputs)
      inputs.push_back(make_input(spec, case_key.fork(fmt::format("input {}", inputs.size()))));
    const Json attributes = item.attributes.empty() ? Json() : Json::parse(item.attributes, "attributes");
    auto function = [&](std::span<const Variable> variables) {
      OpCall call(std::string(name), {variables.begin(), variables.end()}, &attributes);
      return op.run(call);
    };
    const GradcheckResult result = gradcheck(function, inputs, {.seed = case_key.philox_key()});
    add_result(verdict, result, fmt::format(" {}", item.attributes));
  }
  return verdict;
}

GradientVerdict check_objective(std::string_view name, const ObjectiveSettings& settings, const RandomKey& key) {
  constexpr int64_t kPairs = 3, kFeatures = 2, kHidden = 4, kTimesteps = 10;
  const std::unique_ptr<Objective> objective = make_objective(name, checkable(name, settings));
  GradientVerdict verdict{.name = std::string(name)};
  for (const Shape& rest : {Shape{kFeatures}, Shape{1, kFeatures}}) {  // points, and a batch of higher rank
    const RandomKey base = key.fork(name).at_step(uint64_t(verdict.cases));
    auto draw = [&](const char* what, const Shape& shape) { return randn(base.fork(what), shape, DType::f64); };
    Shape shape = rest;
    shape.insert(0, 2 * kPairs);
    const Tensor x = draw("x", shape), ref = draw("ref", shape), target = draw("target", shape);
    const Tensor t = randint(base.fork("t"), 0, kTimesteps, {kPairs});
    const Tensor timesteps = cat({t, t}, 0);
    const Tensor pred_roll = draw("pred roll", shape), ref_roll = draw("ref roll", shape);
    const Tensor alphas_cumprod =
        NoiseSchedule(NoiseScheduleOptions{.num_train_timesteps = kTimesteps}).alphas_cumprod();
    auto function = [&](std::span<const Variable> w) {
      const Variable hidden = silu(linear(Variable(x), w[0], w[1]));
      return (*objective)({.pred = linear(hidden, w[2], w[3]),
                           .ref = ref,
                           .target = target,
                           .timesteps = timesteps,
                           .num_train_timesteps = kTimesteps,
                           .alphas_cumprod = alphas_cumprod,
                           .pred_roll = pred_roll,
                           .ref_roll = ref_roll})
          .loss;
    };
    const std::vector<Tensor> weights = {draw("w0", {kHidden, kFeatures}), draw("b0", {kHidden}),
                                         draw("w1", {kFeatures, kHidden}), draw("b1", {kFeatures})};
    add_result(verdict, gradcheck(function, weights, {.seed = base.philox_key()}), "");
  }
  return verdict;
}

}  // namespace plumb
