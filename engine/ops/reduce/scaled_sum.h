#pragma once

#include "engine/host_device.h"
#include "engine/math.h"

namespace plumb {

/// What logsumexp keeps of some elements: the sum of exp(x) = scaled * exp(largest). With an infinite largest, `scaled`
/// is 0 (-inf), 1 (+inf) or NaN: infinite maxima are kept apart from the sums, so that inf - inf never appears.
template <class A>
struct ScaledSum {
  static constexpr A kInfinity = A(__builtin_inf());

  A largest;
  A scaled;

  /// Of no elements.
  PLUMB_HOST_DEVICE static ScaledSum none() { return {-kInfinity, A(0)}; }
  PLUMB_HOST_DEVICE static ScaledSum of(A x) { return {x, x == -kInfinity ? A(0) : x != x ? x : A(1)}; }

  PLUMB_HOST_DEVICE static ScaledSum joined(const ScaledSum& a, const ScaledSum& b) {
    if (a.scaled != a.scaled || b.scaled == A(0)) return a;
    if (b.scaled != b.scaled || a.scaled == A(0)) return b;
    const ScaledSum &high = a.largest >= b.largest ? a : b, &low = a.largest >= b.largest ? b : a;
    if (high.largest == kInfinity) return high;
    return {high.largest, high.scaled + low.scaled * math::exp(low.largest - high.largest)};
  }

  PLUMB_HOST_DEVICE A log() const { return largest + math::log(scaled); }
};

}  // namespace plumb
