#include "engine/cuda/memory.h"

#include <cuda_runtime.h>

#include <map>

#include "engine/backend.h"
#include "engine/format.h"

namespace plumb {
namespace {

// On the device that is current: every caller below asks for its context first.
void* take(size_t bytes) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
  (void)cudaGetLastError();
  return nullptr;
}
void give(void* memory) { (void)cudaFree(memory); }

/// The allocator of a device, which becomes the current one. Never destroyed: tensors in static storage outlive it.
CachingAllocator& allocator_of(Device device) {
  (void)cuda_context(device);
  static std::mutex& mutex = *new std::mutex;
  static auto& allocators = *new std::map<int, CachingAllocator*>;
  const std::lock_guard lock(mutex);
  CachingAllocator*& allocator = allocators[device.index];
  if (!allocator) allocator = new CachingAllocator(to_string(device), {take, give});
  return *allocator;
}

}  // namespace

CudaBlock* allocate_cuda(size_t bytes, Device device) {
  return allocator_of(device).allocate(bytes, cuda_context(device).stream);
}

void free_cuda(CudaBlock* block) { block->owner->free(block); }

AllocatorStatistics cuda_statistics(Device device) { return allocator_of(device).statistics(); }
void reset_cuda_peak(Device device) { allocator_of(device).reset_peak(); }
void release_cuda_cache(Device device) { allocator_of(device).release_cached(); }
void set_cuda_memory_cap(Device device, int64_t bytes) { allocator_of(device).set_cap(bytes); }

}  // namespace plumb
