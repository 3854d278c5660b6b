#include "engine/ops/optim/sgd.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

void sgd_step(UpdateTensors& tensors, const StepControl& control, const SgdOptions& options) {
  const OpScope scope("sgd_step", tensors.weight, tensors.grad, tensors.state1);
  check_update("sgd_step", tensors, control);
  require<ShapeError>(tensors.state1.defined() == (options.momentum != 0),
                      "sgd_step: a momentum buffer is given exactly with momentum ({}); {}", options.momentum,
                      tensors.weight);
  tensors.weight.bump_version();
  if (tensors.value.defined()) tensors.value.bump_version();
  if (tensors.weight.numel() == 0) return;
  for (const Tensor* each : {&tensors.weight, &tensors.state1, &tensors.value}) scope.writes(*each);
  scope.flops(4 * tensors.weight.numel());
  on_device(tensors.weight.device(), [&](auto backend) { sgd_kernel(backend, tensors, control, options); });
}

}  // namespace plumb
