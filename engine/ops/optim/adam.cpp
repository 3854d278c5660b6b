#include "engine/ops/optim/adam.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

void adam_step(UpdateTensors& tensors, const StepControl& control, const AdamOptions& options) {
  const OpScope scope("adam_step", tensors.weight, tensors.grad, tensors.state1, tensors.state2);
  check_update("adam_step", tensors, control);
  require<ShapeError>(tensors.state1.defined() && tensors.state2.defined(), "adam_step: both moments must be given; {}",
                      tensors.weight);
  tensors.weight.bump_version();
  if (tensors.value.defined()) tensors.value.bump_version();
  if (tensors.weight.numel() == 0) return;
  for (const Tensor* each : {&tensors.weight, &tensors.state1, &tensors.state2, &tensors.value}) scope.writes(*each);
  scope.flops(14 * tensors.weight.numel());
  on_device(tensors.weight.device(), [&](auto backend) { adam_kernel(backend, tensors, control, options); });
}

}  // namespace plumb
