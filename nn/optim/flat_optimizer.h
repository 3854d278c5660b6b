#pragma once

#include "nn/optim/optimizer.h"

namespace plumb {

/// An optimiser whose state is as many numbers an element as it has names for, and whose update treats every element
/// alike: a step is one loop over each stretch of flat memory.
class FlatOptimizer : public Optimizer {
 protected:
  /// `state_names`: at most two, such as {"exp_avg", "exp_avg_sq"}. Throws as Optimizer does.
  FlatOptimizer(const ParameterList& parameters, double learning_rate, std::vector<std::string> state_names);

  virtual void update(UpdateTensors& tensors, const StepControl& control) = 0;

 private:
  void update_weights(const StepControl& control) final;
  StateDict states() const final;

  std::vector<std::string> state_names_;
  std::vector<std::vector<Tensor>> states_;  // [group][state], flat like the group's gradients
};

}  // namespace plumb
