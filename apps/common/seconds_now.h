#pragma once

#include <chrono>

namespace plumb {

/// Seconds of a clock that only moves forward; its zero means nothing.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace plumb
