#include "engine/ops/optim/sgd.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/require.h"

namespace plumb {

void sgd_step(UpdateTensors& tensors, const StepControl& control, const SgdOptions& options) {
  check_update("sgd_step", tensors, control);
  require<ShapeError>(tensors.state1.defined() == (options.momentum != 0),
                      "sgd_step: a momentum buffer is given exactly with momentum ({}); {}", options.momentum,
                      tensors.weight);
  tensors.weight.bump_version();
  if (tensors.value.defined()) tensors.value.bump_version();
  if (tensors.weight.numel() == 0) return;
  on_device(tensors.weight.device(), [&](auto backend) { sgd_kernel(backend, tensors, control, options); });
}

}  // namespace plumb
