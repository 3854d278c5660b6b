#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device.h"

namespace plumb {

/// What the caching allocator of a device holds, in bytes, and how often it was asked.
struct AllocatorStatistics {
  int64_t allocated_bytes = 0;       ///< in use by tensors now (rounded up to size classes)
  int64_t peak_allocated_bytes = 0;  ///< most ever in use since the last reset
  int64_t reserved_bytes = 0;        ///< taken from the system and not given back
  int64_t requests = 0;              ///< allocations asked for
  int64_t system_requests = 0;  ///< those the cache could not serve; constant in the steady state of a training loop
};

/// 64-byte aligned memory from the caching allocator of the CPU. Freed blocks are kept by size class and handed out
/// again: a fresh page costs more than most kernels that fill it.
/// Throws MemoryError naming the bytes asked for and in use.
void* allocate_cpu(size_t bytes);
void free_cpu(void* memory);

/// Statistics of a device's allocator.
AllocatorStatistics allocator_statistics(Device device = kCpu);
/// Sets the peak to what is in use now.
void reset_peak_memory(Device device = kCpu);
/// Gives cached blocks that nobody uses back to the system.
void release_cached_memory(Device device = kCpu);

}  // namespace plumb
