#include "apps/common/globals.h"

#include <charconv>

#include "engine/backend.h"
#include "engine/cuda/device.h"
#include "engine/ops/conv/algorithm.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The N of "cuda:N"; "cuda" alone is the first.
int cuda_index(std::string_view name) {
  constexpr std::string_view kPrefix = "cuda";
  int index = 0;
  bool valid = name.starts_with(kPrefix);
  if (valid && name.size() > kPrefix.size()) {
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size() + 1, end, index);
    valid = name[kPrefix.size()] == ':' && parsed.ec == std::errc() && parsed.ptr == end && index >= 0;
  }
  require<UsageError>(valid, "--device takes auto, cpu or cuda[:N] (got {})", name);
  return index;
}

}  // namespace

Device apply_globals(const GlobalFlags& global, RunsOn runs_on) {
  if (global.threads > 0) set_num_threads(int(global.threads));
  set_winograd_allowed(global.winograd);
  set_deterministic(global.deterministic);
  if (global.device == "auto" || global.device == "cpu") return kCpu;
  const int index = cuda_index(global.device);
  const CudaDevices& devices = cuda_devices();
  require<UsageError>(devices.count > 0, "--device {}: {}; use --device cpu", global.device, devices.problem);
  require<UsageError>(index < devices.count, "--device {}: this machine has {} CUDA devices", global.device,
                      devices.count);
  require<UsageError>(runs_on == RunsOn::cpu_and_cuda,
                      "--device {}: this verb runs on the cpu only in this version; use --device cpu", global.device);
  return {DeviceType::cuda, int8_t(index)};
}

}  // namespace plumb
