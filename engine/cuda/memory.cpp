#include "engine/cuda/memory.h"

#include <atomic>
#include <map>

#include "engine/backend.h"
#include "engine/cuda/check.cuh"
#include "engine/format.h"
#include "engine/profile/memory_hook.h"

namespace plumb {
namespace {

/// Lets a thread take memory while it captures, which is for the graph's own pool.
class Permission {
 public:
  Permission() { (void)cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~Permission() { (void)cudaThreadExchangeStreamCaptureMode(&mode_); }
  Permission(const Permission&) = delete;
  Permission& operator=(const Permission&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

std::atomic<bool> poison{false};

// On the device that is current: every caller below asks for its context first.
void* take(size_t bytes) {
  const Permission permission;
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
  (void)cudaGetLastError();
  return nullptr;
}
void give(void* memory) { (void)cudaFree(memory); }

}  // namespace

// Never destroyed: tensors in static storage outlive it.
CachingAllocator& cuda_allocator(Device device) {
  (void)cuda_context(device);
  static std::mutex& mutex = *new std::mutex;
  static auto& allocators = *new std::map<int, CachingAllocator*>;
  const std::lock_guard lock(mutex);
  CachingAllocator*& allocator = allocators[device.index];
  if (!allocator) allocator = new CachingAllocator(to_string(device), {take, give});
  return *allocator;
}

CudaBlock* allocate_cuda(size_t bytes, Device device) {
  const Cuda cuda = cuda_context(device);
  CudaBlock* block = cuda_allocator(device).allocate(bytes, cuda.stream);
  detail::note_memory(block, int64_t(block->bytes), int64_t(bytes), DeviceType::cuda);
  if (poison.load(std::memory_order_relaxed))
    check_cuda("poison", cudaMemsetAsync(block->data, 0xFF, block->bytes, static_cast<cudaStream_t>(cuda.stream)));
  return block;
}

void set_cuda_poison(bool on) { poison.store(on, std::memory_order_relaxed); }

void free_cuda(CudaBlock* block) {
  detail::note_memory(block, -int64_t(block->bytes), 0, DeviceType::cuda);
  block->owner->free(block);
}

AllocatorStatistics cuda_statistics(Device device) { return cuda_allocator(device).statistics(); }
void reset_cuda_peak(Device device) { cuda_allocator(device).reset_peak(); }
void release_cuda_cache(Device device) { cuda_allocator(device).release_cached(); }
void set_cuda_memory_cap(Device device, int64_t bytes) { cuda_allocator(device).set_cap(bytes); }

}  // namespace plumb
