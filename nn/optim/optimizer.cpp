#include "nn/optim/optimizer.h"

#include <cmath>
#include <limits>

#include "engine/cuda/capture.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
Optimizer::Optimizer(const ParameterList& parameters, double learning_rate) : arena_(parameters) {
  const Device device = arena_.groups().front().values.device();
  control_ = {scalar(0, DType::f64, device), scalar(0, DType::f64, device), {}};
  set_learning_rate(learning_rate);
}

void Optimizer::set_learning_rate(double rate) {
  check_setting("optimiser", "learning_rate", rate, 0, std::numeric_limits<double>::infinity());
  refuse_in_capture("set_learning_rate", "fix the learning rate");
  learning_rate_ = rate;
  control_.learning_rate.fill_(rate);
}

void Optimizer::step(const Tensor& skip) {
  control_.skip = skip;
  advance_step(control_);
  update_weights(control_);
}

void Optimizer::zero_grad() {
  for (ParameterArena::Group& group : arena_.groups()) plumb::zero_grad(group.parameters);
}

StateDict Optimizer::state_dict() const {
  StateDict state{{"step", control_.step}, {"learning_rate", control_.learning_rate}};
  for (NamedTensor& each : states()) state.push_back(std::move(each));
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  load_tensors("optimiser state", state_dict(), state);
  learning_rate_ = control_.learning_rate.item();
}

void check_setting(const char* optimizer, const char* name, double value, double low, double high) {
  require<ValueError>(value >= low && value < high, "{}: {} must be in [{}, {}) ({})", optimizer, name, low, high,
                      value);
}

}  // namespace plumb
