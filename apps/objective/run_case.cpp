#include "apps/objective/run_case.h"

#include <cstdlib>

#include "autograd/backward.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor optional_tensor(const TensorMap& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? Tensor() : found->second;
}

/// `T` among the settings is the schedule's length, not an option of the objective.
int64_t take_timesteps(ObjectiveSettings& settings) {
  int64_t timesteps = 1000;
  std::erase_if(settings, [&](const auto& setting) {
    if (setting.first != "T") return false;
    char* end = nullptr;
    timesteps = std::strtoll(setting.second.c_str(), &end, 10);
    require<ValueError>(*end == '\0' && timesteps >= 1, "objective: T must be a positive integer ({})", setting.second);
    return true;
  });
  return timesteps;
}

/// JSON scalars in the spelling of the command line.
std::string option_text(const Json& value) { return value.is_string() ? value.as_string() : value.dump(); }

}  // namespace

TensorMap run_objective_case(std::string_view name, ObjectiveSettings settings, const TensorMap& given) {
  const int64_t timesteps = take_timesteps(settings);
  const std::unique_ptr<Objective> objective = make_objective(name, settings);
  require<ValueError>(given.contains("pred") && given.contains("target"), "{}: the file must hold pred and target",
                      name);
  const Tensor pred_value = given.find("pred")->second;
  require<DTypeError>(pred_value.dtype() == DType::f32 || pred_value.dtype() == DType::f64,
                      "{}: conformance cases are f32 or f64; pred {}", name, pred_value);
  const Variable pred = Variable::leaf(pred_value);
  const ObjectiveOutput output = (*objective)({.pred = pred,
                                               .ref = optional_tensor(given, "ref"),
                                               .target = given.find("target")->second,
                                               .timesteps = optional_tensor(given, "timesteps"),
                                               .num_train_timesteps = timesteps,
                                               .alphas_cumprod = optional_tensor(given, "alphas_cumprod"),
                                               .labels = optional_tensor(given, "labels"),
                                               .pred_roll = optional_tensor(given, "pred_roll"),
                                               .ref_roll = optional_tensor(given, "ref_roll"),
                                               .logit_scale = optional_tensor(given, "logit_scale")});
  backward(output.loss);
  TensorMap result;
  result.emplace("loss", reshape(output.loss.value(), {1}));
  result.emplace("grad_pred", pred.grad());
  if (output.logit.defined()) result.emplace("logit", output.logit);
  if (output.implicit_accuracy.defined()) result.emplace("implicit_accuracy", reshape(output.implicit_accuracy, {1}));
  return result;
}

TensorMap run_objective_entry(const Json& entry, const TensorMap& given) {
  ObjectiveSettings settings;
  if (const Json* set = entry.find("set"); set && set->is_object())
    for (const JsonMember& member : set->as_object()) settings.emplace_back(member.key, option_text(member.value));
  return run_objective_case(entry.at("objective").as_string(), settings, given);
}

}  // namespace plumb
