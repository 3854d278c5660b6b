#include "apps/common/globals.h"

#include "engine/config.h"
#include "engine/ops/conv/algorithm.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {

void apply_globals(const GlobalFlags& global) {
  if (global.threads > 0) set_num_threads(int(global.threads));
  set_winograd_allowed(global.winograd);
  if (global.device == "auto" || global.device == "cpu") return;
  require<UsageError>(global.device.starts_with("cuda"), "--device takes auto, cpu or cuda[:N] (got {})",
                      global.device);
  require<UsageError>(kHasCuda, "--device {}: this build has no CUDA backend; use --device cpu", global.device);
}

}  // namespace plumb
