#pragma once

#include <fmt/core.h>

#include "engine/error.h"

// Never include this header, or fmt, from a .cu file: nvcc rejects fmt 9 at C++20.

namespace plumb {

template <class E, class... Args>
[[noreturn]] [[gnu::cold]] [[gnu::noinline]] void raise(fmt::format_string<Args...> format, Args&&... args) {
  throw E(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws E with the formatted message unless `condition` holds. Pass objects, not built strings: the message is
/// formatted only on failure.
template <class E, class... Args>
inline void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    raise<E>(format, std::forward<Args>(args)...);
}

}  // namespace plumb
