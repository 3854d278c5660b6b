#pragma once

// Functions of two and three elements. T is float, double or int64_t (the ops integers know). Integer arithmetic wraps.

#include "engine/math.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

struct Add {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a + b;
  }
  static PLUMB_HOST_DEVICE int64_t apply(int64_t a, int64_t b) { return int64_t(uint64_t(a) + uint64_t(b)); }
};
struct Sub {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a - b;
  }
  static PLUMB_HOST_DEVICE int64_t apply(int64_t a, int64_t b) { return int64_t(uint64_t(a) - uint64_t(b)); }
};
struct Mul {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a * b;
  }
  static PLUMB_HOST_DEVICE int64_t apply(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }
};
struct Div {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a / b;
  }
};
struct Pow {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return math::pow(a, b);
  }
};
/// A NaN on either side comes through.
struct Maximum {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return (a > b) | (a != a) ? a : b;
  }
};
struct Minimum {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return (a < b) | (a != a) ? a : b;
  }
};

/// Comparisons: 0 or 1, stored as bool.
struct Eq {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a == b ? T(1) : T(0);
  }
};
struct Ne {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a != b ? T(1) : T(0);
  }
};
struct Lt {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a < b ? T(1) : T(0);
  }
};
struct Le {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a <= b ? T(1) : T(0);
  }
};
struct Gt {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a > b ? T(1) : T(0);
  }
};
struct Ge {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return a >= b ? T(1) : T(0);
  }
};
struct LogicalAnd {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return (a != T(0)) & (b != T(0)) ? T(1) : T(0);
  }
};
struct LogicalOr {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b) {
    return (a != T(0)) | (b != T(0)) ? T(1) : T(0);
  }
};

struct Where {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T condition, T a, T b) {
    return condition != T(0) ? a : b;
  }
};
/// The upper bound wins when the bounds cross; NaN comes through.
struct Clamp {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T x, T low, T high) {
    const T raised = x < low ? low : x;
    return raised > high ? high : raised;
  }
};
/// d clamp / dx: 1 between the bounds, both included, 0 outside.
struct ClampMask {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T x, T low, T high) {
    return (x >= low) & (x <= high) ? T(1) : T(0);
  }
};
struct AddScaled {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T a, T b, T scale) {
    return a + scale * b;
  }
};
/// d(a / b)/db
struct DivBackwardDivisor {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T grad, T a, T b) {
    return -grad * ((a / b) / b);
  }
};
/// Gradient of the first operand; equal operands share it.
struct MaximumBackward {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T grad, T kept, T other) {
    return kept < other ? T(0) : (kept == other ? T(0.5) * grad : grad);
  }
};
struct MinimumBackward {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T grad, T kept, T other) {
    return kept > other ? T(0) : (kept == other ? T(0.5) * grad : grad);
  }
};
/// d(a^b)/da, which is 0 for b = 0 even at a = 0.
struct PowBackwardBase {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T grad, T a, T b) {
    return b == T(0) ? T(0) : grad * (b * math::pow(a, b - T(1)));
  }
};
/// d(a^b)/db, which is 0 at a = 0 for b >= 0.
struct PowBackwardExponent {
  template <class T>
  static PLUMB_HOST_DEVICE T apply(T grad, T a, T b) {
    return (a == T(0)) & (b >= T(0)) ? T(0) : grad * (math::pow(a, b) * math::log(a));
  }
};

}  // namespace
}  // namespace plumb::PLUMB_ISA
