#pragma once

#include <cstdint>

#include "engine/device.h"
#include "engine/profile/op_scope.h"

namespace plumb::detail {

void record_memory(const void* block, int64_t bytes, int64_t requested_bytes, DeviceType type);

/// Called by the allocators for every block they hand out (bytes > 0) and take back (bytes < 0).
inline void note_memory(const void* block, int64_t bytes, int64_t requested_bytes = 0,
                        DeviceType type = DeviceType::cpu) {
  if (profiling.load(std::memory_order_relaxed)) [[unlikely]]
    record_memory(block, bytes, requested_bytes, type);
}

}  // namespace plumb::detail
