#pragma once

#include <cstdint>

#include "engine/profile/op_scope.h"

namespace plumb::detail {

void record_memory(const void* block, int64_t bytes, int64_t requested_bytes);

/// Called by the allocator for every block it hands out (bytes > 0) and takes back (bytes < 0).
inline void note_memory(const void* block, int64_t bytes, int64_t requested_bytes = 0) {
  if (profiling.load(std::memory_order_relaxed)) [[unlikely]]
    record_memory(block, bytes, requested_bytes);
}

}  // namespace plumb::detail
