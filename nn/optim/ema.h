#pragma once

#include "nn/state_dict.h"

namespace plumb {

struct EmaOptions {
  double decay = 0.9999;
  double min_decay = 0;
  int64_t update_after_step = 0;
  /// Warm-up 1 - (1 + s / inv_gamma)^-power instead of (1 + s) / (10 + s).
  bool use_ema_warmup = false;
  double inv_gamma = 1;
  double power = 2.0 / 3.0;
};

/// The decay of diffusers' EMAModel at its `step`-th update (1, 2, …), with s = max(0, step - update_after_step - 1):
///   s = 0: 0 (the average is the weight itself);  else min(decay, rule(s)), not below min_decay.
double ema_decay(int64_t step, const EmaOptions& options);

/// A running average of weights (masters where there are any):
///   shadow <- shadow - (1 - decay) (shadow - weight)
/// for parameters that are trained; the shadows of frozen ones follow them. Starts as a copy of the weights.
class Ema {
 public:
  explicit Ema(const ParameterList& parameters, const EmaOptions& options = {});
  Ema(const Ema&) = delete;
  Ema& operator=(const Ema&) = delete;

  /// Call once after each optimiser step. With `skip` (host) nothing happens.
  void update();
  /// Exchanges averages and weights; a second call puts every bit back. Do not update in between (throws Error).
  void swap();
  bool swapped() const { return swapped_; }
  /// Overwrites the weights with the averages.
  void copy_to_weights();

  int64_t steps() const { return step_; }
  /// The averages under the parameters' names, and "ema.step". Shares memory.
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  ParameterList parameters_;
  std::vector<Tensor> shadows_;
  EmaOptions options_;
  Tensor decay_;  // f64, on the weights' device
  Tensor steps_;  // i64, one element, host
  int64_t step_ = 0;
  bool swapped_ = false;
};

/// Weights are averages while alive: for sampling and evaluation.
class EmaScope {
 public:
  explicit EmaScope(Ema& ema) : ema_(ema) { ema_.swap(); }
  ~EmaScope() { ema_.swap(); }
  EmaScope(const EmaScope&) = delete;
  EmaScope& operator=(const EmaScope&) = delete;

 private:
  Ema& ema_;
};

}  // namespace plumb
