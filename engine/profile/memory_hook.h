#pragma once

#include <cstdint>

#include "engine/profile/op_scope.h"

namespace plumb::detail {

void record_memory(const void* block, int64_t bytes);

/// Called by the allocator for every block it hands out (bytes > 0) and takes back (bytes < 0).
inline void note_memory(const void* block, int64_t bytes) {
  if (profiling.load(std::memory_order_relaxed)) [[unlikely]]
    record_memory(block, bytes);
}

}  // namespace plumb::detail
