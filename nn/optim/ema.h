#pragma once

#include "engine/ops/optim/ema.h"
#include "nn/state_dict.h"

namespace plumb {

/// A running average of weights (masters where there are any):
///   shadow <- shadow - (1 - decay) (shadow - weight)
/// for parameters that are trained; the shadows of frozen ones follow them. Starts as a copy of the weights.
class Ema {
 public:
  explicit Ema(const ParameterList& parameters, const EmaOptions& options = {});
  Ema(const Ema&) = delete;
  Ema& operator=(const Ema&) = delete;

  /// Call once after each optimiser step. With `skip` (bool, one element, on the weights' device) true, averages of
  /// trained parameters and the count of steps stay as they are. The host reads nothing.
  void update(const Tensor& skip = {});
  /// Exchanges averages and weights; a second call puts every bit back. Do not update in between (throws Error).
  void swap();
  bool swapped() const { return swapped_; }
  /// Overwrites the weights with the averages.
  void copy_to_weights();

  /// Updates so far (reads the device).
  int64_t steps() const { return steps_.item<int64_t>(); }
  /// The averages under the parameters' names, and "ema.step". Shares memory.
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  ParameterList parameters_;
  std::vector<Tensor> shadows_;
  EmaOptions options_;
  Tensor decay_;  // f64, one element, on the weights' device
  Tensor steps_;  // i64, beside it
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
