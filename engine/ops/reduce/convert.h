#pragma once

#include <type_traits>

#include "engine/dtype.h"
#include "engine/host_device.h"

// Internal: reading elements into the type they are computed in, and rounding once on the way out.

namespace plumb {

template <class A, class T>
PLUMB_HOST_DEVICE A load_as(T value) {
  return static_cast<A>(static_cast<Compute<T>>(value));
}

template <class T, class A>
PLUMB_HOST_DEVICE T store_as(A value) {
  if constexpr (std::is_same_v<T, bool>)
    return value != A(0);
  else
    return static_cast<T>(static_cast<Compute<T>>(value));
}

/// Copies `n` elements `step` apart. Out of line: it keeps the loops around it small, and g++ 12 from seeing
/// uninitialised buffers where there are none.
template <class A, class T>
[[gnu::noinline]] void copy_row(const T* x, int64_t step, int64_t n, A* buffer) {
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) buffer[i] = load_as<A>(x[i]);
  else
    for (int64_t i = 0; i < n; ++i) buffer[i] = load_as<A>(x[i * step]);
}

/// `n` elements `step` apart as an array of A: the elements themselves where that needs no conversion, else copied into
/// `buffer`.
template <class A, class T>
const A* load_row(const T* x, int64_t step, int64_t n, A* buffer) {
  if constexpr (std::is_same_v<A, T>) {
    if (step == 1) return x;
  }
  copy_row(x, step, n, buffer);
  return buffer;
}

}  // namespace plumb
