#include "engine/ops/optim/step_control.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_control(const char* op, const StepControl& control) {
  require<DTypeError>(control.learning_rate.dtype() == DType::f64 && control.learning_rate.numel() == 1,
                      "{}: learning rate must be f64 of one element; {}", op, control.learning_rate);
  require<DTypeError>(control.step.dtype() == DType::f64 && control.step.numel() == 1,
                      "{}: step must be f64 of one element; {}", op, control.step);
  require<DTypeError>(!control.skip.defined() || (control.skip.dtype() == DType::boolean && control.skip.numel() == 1),
                      "{}: skip must be bool of one element; {}", op, control.skip);
  require_one_device(op, control.step, control.learning_rate, control.skip);
}

void check_state(const char* op, const Tensor& weight, const Tensor& state) {
  if (!state.defined()) return;
  require<DTypeError>(state.dtype() == acc_dtype(weight.dtype()), "{}: gradient and state must be {}; {} for {}", op,
                      acc_dtype(weight.dtype()), state, weight);
  require<ShapeError>(state.shape() == weight.shape() && state.is_contiguous(),
                      "{}: gradient and state must be flat and as long as the weight; {} for {}", op, state, weight);
}

}  // namespace

void check_update(const char* op, const UpdateTensors& tensors, const StepControl& control) {
  const Tensor& weight = tensors.weight;
  check_control(op, control);
  require_one_device(op, tensors.weight, control.step);
  require<DTypeError>(is_floating(weight.dtype()), "{}: weights must be floating; {}", op, weight);
  require<ShapeError>(weight.rank() == 1 && weight.is_contiguous(), "{}: weights must be flat and contiguous; {}", op,
                      weight);
  require<ShapeError>(tensors.grad.defined(), "{}: there must be a gradient; {}", op, weight);
  check_state(op, weight, tensors.grad);
  check_state(op, weight, tensors.state1);
  check_state(op, weight, tensors.state2);
  if (!tensors.value.defined()) return;
  require<DTypeError>(
      weight.dtype() == DType::f32 && size_of(tensors.value.dtype()) == 2 && is_floating(tensors.value.dtype()),
      "{}: a master is f32 and belongs to a 16-bit value; {} for {}", op, weight, tensors.value);
  require<ShapeError>(tensors.value.shape() == weight.shape() && tensors.value.is_contiguous(),
                      "{}: value and master must be flat and of one length; {} for {}", op, weight, tensors.value);
}

void advance_step(StepControl& control) {
  check_control("advance_step", control);
  control.step.bump_version();
  on_device(control.step.device(), [&](auto backend) { advance_step_kernel(backend, control); });
}

}  // namespace plumb
