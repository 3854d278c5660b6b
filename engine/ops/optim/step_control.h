#pragma once

#include "engine/tensor.h"

namespace plumb {

/// The numbers that change from one optimiser step to the next. They are 0-d tensors on the weights' device, so that a
/// captured CUDA graph replays with new values and the host never waits for them.
struct StepControl {
  Tensor learning_rate;  ///< f64
  Tensor step;           ///< f64: steps taken, this one included; counted by advance_step
  Tensor skip;           ///< bool, or undefined: when true, this step changes nothing
};

/// step += skip ? 0 : 1. Throws DTypeError or ShapeError unless the tensors are as above.
void advance_step(StepControl& control);

/// What an update touches: flat, contiguous, all of one length. `weight` is what the update is applied to (f32, f64, or
/// 16 bits without a master); `value`, when defined, receives weight rounded to its own 16-bit type.
struct UpdateTensors {
  Tensor weight;
  Tensor value;
  Tensor grad;         ///< acc_dtype(weight)
  Tensor state1 = {};  ///< acc_dtype(weight); meaning up to the optimiser
  Tensor state2 = {};
};

/// Throws unless the tensors fit together as described.
void check_update(const char* op, const UpdateTensors& tensors, const StepControl& control);

}  // namespace plumb
