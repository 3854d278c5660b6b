#include "nn/optim/optimizer.h"

#include <cmath>
#include <limits>

#include "engine/cuda/capture.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor part_of(const Tensor& flat, const ParameterArena::Run& run) {
  return flat.view_as({run.end - run.begin}, {1}, run.begin);
}

}  // namespace

Optimizer::Optimizer(const ParameterList& parameters, double learning_rate, std::vector<std::string> state_names)
    : arena_(parameters), state_names_(std::move(state_names)) {
  const Device device = arena_.groups().front().values.device();
  control_ = {scalar(0, DType::f64, device), scalar(0, DType::f64, device), {}};
  set_learning_rate(learning_rate);
  for (const ParameterArena::Group& group : arena_.groups()) {
    std::vector<Tensor>& states = states_.emplace_back();
    for (size_t i = 0; i < state_names_.size(); ++i) states.push_back(zeros_like(group.grads));
  }
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
  for (size_t g = 0; g < arena_.groups().size(); ++g) {
    ParameterArena::Group& group = arena_.groups()[g];
    for (const ParameterArena::Run& run : arena_.runs_with_grad(group)) {
      UpdateTensors tensors{part_of(group.weights(), run), {}, part_of(group.grads, run)};
      if (group.masters.defined()) tensors.value = part_of(group.values, run);
      if (states_[g].size() > 0) tensors.state1 = part_of(states_[g][0], run);
      if (states_[g].size() > 1) tensors.state2 = part_of(states_[g][1], run);
      update(tensors, control_);
    }
  }
}

void Optimizer::zero_grad() {
  for (ParameterArena::Group& group : arena_.groups()) plumb::zero_grad(group.parameters);
}

StateDict Optimizer::state_dict() const {
  StateDict state{{"step", control_.step}, {"learning_rate", control_.learning_rate}};
  for (size_t s = 0; s < state_names_.size(); ++s)
    for (size_t g = 0; g < arena_.groups().size(); ++g) {
      const ParameterArena::Group& group = arena_.groups()[g];
      for (size_t i = 0; i < group.parameters.size(); ++i)
        state.push_back(
            {state_names_[s] + "." + group.parameters[i].name, ParameterArena::view(group, i, states_[g][s])});
    }
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
