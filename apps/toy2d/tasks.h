#pragma once

#include <cstdint>

#include "engine/device.h"
#include "engine/parallel.h"

namespace plumb::toy2d {

/// f(i) for i = 0, 1, …, count - 1: on the CPU spread over its threads, on a CUDA device in turn, for there is one
/// queue that all of them would wait for.
template <class F>
void for_tasks(Device device, int64_t count, F&& f) {
  const auto range = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  };
  if (device.is_cpu())
    parallel_for(count, 1, range);
  else
    range(0, count);
}

}  // namespace plumb::toy2d
