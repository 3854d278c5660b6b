#include "engine/ops/optim/ema.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check(const char* name, const Tensor& x, DType dtype) {
  require<DTypeError>(x.dtype() == dtype, "advance_ema: {} must be {}; {}", name, dtype, x);
  require<ShapeError>(x.numel() == 1, "advance_ema: {} must have one element; {}", name, x);
}

}  // namespace

void advance_ema(Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options) {
  check("step", step, DType::i64);
  check("decay", decay, DType::f64);
  if (skip.defined()) check("skip", skip, DType::boolean);
  require_one_device("advance_ema", step, decay, skip);
  step.bump_version();
  decay.bump_version();
  on_device(step.device(), [&](auto backend) { advance_ema_kernel(backend, step, decay, skip, options); });
}

}  // namespace plumb
