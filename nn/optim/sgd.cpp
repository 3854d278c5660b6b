#include "nn/optim/sgd.h"

#include <limits>

#include "engine/require.h"

namespace plumb {
namespace {

std::vector<std::string> states_for(const SgdSettings& settings) {
  if (settings.momentum == 0) return {};
  return {"momentum_buffer"};
}

}  // namespace

Sgd::Sgd(const ParameterList& parameters, const SgdSettings& settings)
    : FlatOptimizer(parameters, settings.learning_rate, states_for(settings)),
      options_{settings.momentum, settings.dampening, settings.weight_decay, settings.nesterov} {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_setting("SGD", "momentum", settings.momentum, 0, kInfinity);
  check_setting("SGD", "weight_decay", settings.weight_decay, 0, kInfinity);
  require<ValueError>(!settings.nesterov || (settings.momentum > 0 && settings.dampening == 0),
                      "SGD: nesterov needs momentum and no dampening (momentum {}, dampening {})", settings.momentum,
                      settings.dampening);
}

void Sgd::update(UpdateTensors& tensors, const StepControl& control) { sgd_step(tensors, control, options_); }

}  // namespace plumb
