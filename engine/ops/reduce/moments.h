#pragma once

#include <cstdint>

#include "engine/host_device.h"

namespace plumb {

/// What the variance keeps of some elements.
template <class A>
struct Moments {
  int64_t count;
  A mean;
  A squares;  ///< sum of (x - mean)^2

  /// Of both together [Chan, Golub & LeVeque 1979]: nothing cancels.
  PLUMB_HOST_DEVICE static Moments joined(const Moments& a, const Moments& b) {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    const int64_t count = a.count + b.count;
    const A delta = b.mean - a.mean, share = A(double(b.count) / double(count));
    return {count, a.mean + delta * share, a.squares + b.squares + delta * delta * (share * A(a.count))};
  }
};

}  // namespace plumb
