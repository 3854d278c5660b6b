#pragma once

#include "engine/ops/optim/step_control.h"
#include "nn/parameter_arena.h"
#include "nn/state_dict.h"

namespace plumb {

/// Base of the optimisers. The constructor moves the parameters into one arena (nn/parameter_arena.h), where a step
/// finds values, masters and gradients as flat memory.
///
///   AdamW optimizer(trainable(parameters(model)), {.learning_rate = 1e-4});
///   for (...) {
///     optimizer.zero_grad();
///     backward(loss(...));
///     const Tensor norm = clip_grad_norm(optimizer.arena(), 1.0);
///     optimizer.set_learning_rate(1e-4 * learning_rate_factor(step, schedule));
///     optimizer.step(not_finite(norm));
///   }
/// Parameters without a gradient in a step are left alone, state included. The step count that bias corrections use is
/// one for all. step() never changes a gradient.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient. With `skip` (bool, one element, on the weights' device) true, nothing
  /// changes, the step count included: how a step whose gradients are not finite is dropped without asking the host.
  /// Throws Error when a parameter was moved to another arena since.
  void step(const Tensor& skip = {});
  void zero_grad();

  /// Written to the device tensor that step() reads. Throws ValueError unless finite and >= 0.
  void set_learning_rate(double rate);
  double learning_rate() const { return learning_rate_; }
  /// Steps taken (reads the device).
  int64_t steps() const { return control_.step.item<int64_t>(); }

  ParameterArena& arena() { return arena_; }
  const ParameterArena& arena() const { return arena_; }

  /// Everything a resumed run needs: "step", "learning_rate" and per parameter "STATE.PARAMETER". Shares memory.
  StateDict state_dict() const;
  /// Strict; throws ValueError listing what does not fit.
  void load_state_dict(const StateDict& state);

 protected:
  /// Throws ValueError on an empty list, parameters on several devices, or a bad learning rate.
  Optimizer(const ParameterList& parameters, double learning_rate);

  /// Updates every parameter that has a gradient; nothing when control.skip is true.
  virtual void update_weights(const StepControl& control) = 0;
  /// What is kept of each parameter: "STATE.PARAMETER". Shares memory.
  virtual StateDict states() const = 0;

 private:
  ParameterArena arena_;
  StepControl control_;
  double learning_rate_ = 0;
};

/// Throws ValueError unless low <= value < high. For the settings of optimisers.
void check_setting(const char* optimizer, const char* name, double value, double low, double high);

}  // namespace plumb
