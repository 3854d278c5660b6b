#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/allocator.h"
#include "engine/cuda/caching_allocator.h"
#include "engine/device.h"

namespace plumb {

/// Memory of a CUDA device from its caching allocator, for use on the device's current stream. Throws MemoryError,
/// DeviceError.
CudaBlock* allocate_cuda(size_t bytes, Device device);
void free_cuda(CudaBlock* block);

/// The allocator of a device, which becomes the thread's current one. Throws DeviceError when it is not there.
CachingAllocator& cuda_allocator(Device device);

/// For tests: fills what is handed out with 0xFF bytes, NaN in every float type, so that an element nobody writes
/// shows. Off at the start.
void set_cuda_poison(bool poison);

/// As allocator.h, of a CUDA device. Throw DeviceError when it is not there.
AllocatorStatistics cuda_statistics(Device device);
void reset_cuda_peak(Device device);
void release_cuda_cache(Device device);
/// The most bytes the allocator of `device` may take from it; 0: all there are.
void set_cuda_memory_cap(Device device, int64_t bytes);

}  // namespace plumb
