#pragma once

#include "engine/tensor.h"

namespace plumb {

/// While one lives, draws on this thread and on the device of `step` are made at step RandomKey::step + step: for a
/// training step that is captured once as a CUDA graph and replayed with new draws. `step` (i64, one element, not
/// negative) is read when the draw runs, by the device: a graph keeps its address, so it must live as long, and the
/// caller writes to it between replays. Nests; the innermost counts. The sum must stay below RandomKey::kMaxStep; on
/// CUDA nobody can check that.
/// Throws DTypeError or ShapeError for another kind of tensor.
class RandomStepScope {
 public:
  explicit RandomStepScope(const Tensor& step);
  ~RandomStepScope();
  RandomStepScope(const RandomStepScope&) = delete;
  RandomStepScope& operator=(const RandomStepScope&) = delete;

 private:
  Tensor step_;
  const Tensor* previous_;
};

/// Where the draws of `device` find the innermost scope's step: in that device's memory. Null without one.
const int64_t* random_step_on(Device device);

}  // namespace plumb
