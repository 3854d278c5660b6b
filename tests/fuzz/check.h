#pragma once

#include <cstdlib>

/// Stops the fuzzer with a report when a property does not hold, in release builds too.
inline void check(bool holds) {
  if (!holds) std::abort();
}
