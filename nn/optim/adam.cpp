#include "nn/optim/adam.h"

#include <limits>

namespace plumb {
namespace {

AdamOptions checked(const char* name, const AdamSettings& settings, bool decoupled) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_setting(name, "beta1", settings.beta1, 0, 1);
  check_setting(name, "beta2", settings.beta2, 0, 1);
  check_setting(name, "epsilon", settings.epsilon, 0, kInfinity);
  check_setting(name, "weight_decay", settings.weight_decay, 0, kInfinity);
  return {settings.beta1, settings.beta2, settings.epsilon, settings.weight_decay, decoupled};
}

}  // namespace

Adam::Adam(const ParameterList& parameters, const AdamSettings& settings, bool decoupled)
    : FlatOptimizer(parameters, settings.learning_rate, {"exp_avg", "exp_avg_sq"}),
      options_(checked(decoupled ? "AdamW" : "Adam", settings, decoupled)) {}

void Adam::update(UpdateTensors& tensors, const StepControl& control) { adam_step(tensors, control, options_); }

}  // namespace plumb
