#pragma once

// Activations, as in unary_functors.h. Written so that +-1e6 and infinities neither overflow into NaN nor lose the
// small tail: every exponential has a negative argument or sits in a denominator.

#include "engine/math.h"
#include "engine/math_normal.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

struct Sigmoid {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return math::sigmoid(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return grad * (y * (T(1) - y));
  }
};

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|)
struct LogSigmoid {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return (x < T(0) ? x : T(0)) - math::log1p_exp_negative(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * math::sigmoid(-x);
  }
};

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
struct Softplus {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return (x > T(0) ? x : T(0)) + math::log1p_exp_negative(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * math::sigmoid(x);
  }
};

struct Relu {
  static constexpr bool kFromOutput = true;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x <= T(0) ? T(0) : x;
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T y) {
    return y <= T(0) ? T(0) : grad;
  }
};

/// x sigmoid(x)
struct Silu {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x * math::sigmoid(x);
  }
  template <class T>
  static PLUMB_HOST_DEVICE T derivative(T x) {
    const T s = math::sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    return grad * derivative(x);
  }
};

/// x Phi(x), Phi the normal distribution function.
struct Gelu {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x * math::normal(x).below;
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    const math::Normal<T> normal = math::normal(x);
    return grad * (normal.below + x * normal.density);
  }
};

/// 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3)
struct GeluTanh {
  static constexpr bool kFromOutput = false;
  template <class T>
  static PLUMB_HOST_DEVICE T twice_u(T x) {
    return T(1.5957691216057308) * (x + T(0.044715) * (x * x * x));
  }
  template <class T>
  static PLUMB_HOST_DEVICE T forward(T x) {
    return x / (T(1) + math::exp(-twice_u(x)));
  }
  template <class T>
  static PLUMB_HOST_DEVICE T backward(T grad, T x) {
    const T s = math::sigmoid(twice_u(x));
    const T slope = T(1.5957691216057308) * (T(1) + T(0.134145) * (x * x));
    return grad * (s + x * (s * (T(1) - s)) * slope);
  }
};

}  // namespace
}  // namespace plumb::PLUMB_ISA
