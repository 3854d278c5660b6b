// The CUDA runtime of a build without CUDA: there are no devices.

#include "engine/backend.h"
#include "engine/cuda/device.h"
#include "engine/cuda/graph.h"
#include "engine/cuda/memory.h"
#include "engine/cuda/transfer.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

[[noreturn]] void refuse(const char* what, Device device) {
  raise<DeviceError>("{}: {} is not available, this build has no CUDA backend", what, device);
}

}  // namespace

const CudaDevices& cuda_devices() {
  static const CudaDevices none{0, "this build has no CUDA backend"};
  return none;
}

Cuda cuda_context(Device device) { refuse("cuda_context", device); }
CachingAllocator& cuda_allocator(Device device) { refuse("allocate", device); }
CudaBlock* allocate_cuda(size_t, Device device) { refuse("allocate", device); }
void free_cuda(CudaBlock*) {}
AllocatorStatistics cuda_statistics(Device device) { refuse("allocator_statistics", device); }
void reset_cuda_peak(Device device) { refuse("reset_peak_memory", device); }
void release_cuda_cache(Device device) { refuse("release_cached_memory", device); }
void set_cuda_poison(bool) {}
void set_cuda_memory_cap(Device device, int64_t) { refuse("set_cuda_memory_cap", device); }
void copy_to_device(const void*, void*, size_t, Device device) { refuse("copy_to_device", device); }
void copy_to_host(const void*, void*, size_t, Device device) { refuse("copy_to_host", device); }
void synchronize(Device device) { refuse("synchronize", device); }

struct CudaGraph::State {};
CudaGraph::CudaGraph() = default;
CudaGraph::~CudaGraph() = default;
void CudaGraph::capture(Device device, const std::function<void()>&) { refuse("CudaGraph", device); }
void CudaGraph::replay() { raise<Error>("CudaGraph: replay needs a capture first"); }
int64_t CudaGraph::nodes() const { return 0; }
int64_t CudaGraph::pool_bytes() const { return 0; }

}  // namespace plumb
