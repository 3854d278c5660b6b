#include "nn/optim/flat_optimizer.h"

namespace plumb {
namespace {

Tensor part_of(const Tensor& flat, const ParameterArena::Run& run) {
  return flat.view_as({run.end - run.begin}, {1}, run.begin);
}

}  // namespace

FlatOptimizer::FlatOptimizer(const ParameterList& parameters, double learning_rate,
                             std::vector<std::string> state_names)
    : Optimizer(parameters, learning_rate), state_names_(std::move(state_names)) {
  for (const ParameterArena::Group& group : arena().groups()) {
    std::vector<Tensor>& states = states_.emplace_back();
    for (size_t i = 0; i < state_names_.size(); ++i) states.push_back(zeros_like(group.grads));
  }
}

void FlatOptimizer::update_weights(const StepControl& control) {
  for (size_t g = 0; g < arena().groups().size(); ++g) {
    ParameterArena::Group& group = arena().groups()[g];
    for (const ParameterArena::Run& run : arena().runs_with_grad(group)) {
      UpdateTensors tensors{part_of(group.weights(), run), {}, part_of(group.grads, run)};
      if (group.masters.defined()) tensors.value = part_of(group.values, run);
      if (states_[g].size() > 0) tensors.state1 = part_of(states_[g][0], run);
      if (states_[g].size() > 1) tensors.state2 = part_of(states_[g][1], run);
      update(tensors, control);
    }
  }
}

StateDict FlatOptimizer::states() const {
  StateDict state;
  for (size_t s = 0; s < state_names_.size(); ++s)
    for (size_t g = 0; g < arena().groups().size(); ++g) {
      const ParameterArena::Group& group = arena().groups()[g];
      for (size_t i = 0; i < group.parameters.size(); ++i)
        state.push_back(
            {state_names_[s] + "." + group.parameters[i].name, ParameterArena::view(group, i, states_[g][s])});
    }
  return state;
}

}  // namespace plumb
