#pragma once

// One functor an op: `forward` beside its derivative. `backward(grad, z)` takes z = the output where kFromOutput (the
// derivative is cheaper from it) and the input otherwise. T is float or double; the ops that integers know too are
// written so that int64_t works. Every select is branch-free; comparisons are arranged so that NaN comes out as in
// PyTorch.

#include "engine/math.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

struct Abs {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::abs(x);
  }
  static PLUMB_HOST_DEVICE int64_t forward(int64_t x) { return x < 0 ? int64_t(0 - uint64_t(x)) : x; }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return x > T(0) ? grad : (x < T(0) ? -grad : T(0));
  }
};

struct Neg {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return -x;
  }
  static PLUMB_HOST_DEVICE int64_t forward(int64_t x) { return int64_t(0 - uint64_t(x)); }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T) {
    return -grad;
  }
};

struct Exp {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::exp(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return grad * y;
  }
};

struct Expm1 {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::expm1(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return grad * (y + T(1));
  }
};

struct Log {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::log(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad / x;
  }
};

struct Log1p {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::log1p(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad / (x + T(1));
  }
};

struct Sqrt {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::sqrt(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return grad / (T(2) * y);
  }
};

struct Rsqrt {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return T(1) / math::sqrt(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return T(-0.5) * grad * (y * y * y);
  }
};

struct Reciprocal {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return T(1) / x;
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return -grad * (y * y);
  }
};

struct Square {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x * x;
  }
  static PLUMB_HOST_DEVICE int64_t forward(int64_t x) { return int64_t(uint64_t(x) * uint64_t(x)); }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * (T(2) * x);
  }
};

struct Sin {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::sin(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * math::cos(x);
  }
};

struct Cos {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::cos(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return -grad * math::sin(x);
  }
};

struct Tanh {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::tanh(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return grad * (T(1) - y * y);
  }
};

struct Erf {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::erf(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * (T(1.1283791670955126) * math::exp(-(x * x)));  // 2 / sqrt(pi)
  }
};

/// Ops whose derivative is zero almost everywhere.
struct Sign {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0));
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T, T) {
    return T(0);
  }
};

struct Floor {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::floor(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T, T) {
    return T(0);
  }
};

struct Ceil {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::ceil(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T, T) {
    return T(0);
  }
};

struct Round {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::round_even(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T, T) {
    return T(0);
  }
};

/// Predicates: 0 or 1, stored as bool.
struct LogicalNot {
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x == T(0) ? T(1) : T(0);
  }
};

struct IsNan {
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x != x ? T(1) : T(0);
  }
};

struct IsFinite {
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x - x == T(0) ? T(1) : T(0);  // NaN for infinities
  }
};

}  // namespace
}  // namespace plumb::PLUMB_ISA
