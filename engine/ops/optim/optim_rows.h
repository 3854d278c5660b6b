#pragma once

#include <cstdint>

// The loops of the optimisers over contiguous elements, in the compute type T. Plain arithmetic in a fixed order; the
// compiler vectorises them, square root and division included.

#ifndef PLUMB_ISA
#define PLUMB_ISA portable
#endif

namespace plumb {

/// Everything adam_row needs, rounded to T once. Names as in adam.h.
template <class T>
struct AdamCoefficients {
  T shrink;  // 1 - lr * weight_decay when decoupled, else 1
  T l2;      // weight_decay when it joins the gradient, else 0
  T one_minus_beta1;
  T beta2, one_minus_beta2;
  T inverse_root_correction2;  // 1 / sqrt(1 - beta2^t)
  T epsilon;
  T step_size;  // lr / (1 - beta1^t)
};

template <class T>
struct SgdCoefficients {
  T l2, momentum, gradient_share, learning_rate;  // gradient_share: 1 - dampening, 1 in the first step
  T gradient_part, momentum_part;                 // step direction = gradient_part * g + momentum_part * b
};

namespace PLUMB_ISA {
namespace {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

template <class T>
void adam_row(T* __restrict weight, const T* __restrict grad, T* __restrict m, T* __restrict v, int64_t count,
              const AdamCoefficients<T>& coefficients) {
  const AdamCoefficients<T> c = coefficients;
  for (int64_t i = 0; i < count; ++i) {
    const T w = weight[i] * c.shrink;
    const T g = grad[i] + c.l2 * w;
    const T first = m[i] + c.one_minus_beta1 * (g - m[i]);
    const T second = c.beta2 * v[i] + c.one_minus_beta2 * g * g;
    m[i] = first;
    v[i] = second;
    weight[i] = w - c.step_size * (first / (root(second) * c.inverse_root_correction2 + c.epsilon));
  }
}

template <class T>
void sgd_row(T* __restrict weight, const T* __restrict grad, int64_t count, const SgdCoefficients<T>& coefficients) {
  const SgdCoefficients<T> c = coefficients;
  for (int64_t i = 0; i < count; ++i) weight[i] -= c.learning_rate * (grad[i] + c.l2 * weight[i]);
}

template <class T>
void sgd_momentum_row(T* __restrict weight, const T* __restrict grad, T* __restrict buffer, int64_t count,
                      const SgdCoefficients<T>& coefficients) {
  const SgdCoefficients<T> c = coefficients;
  for (int64_t i = 0; i < count; ++i) {
    const T g = grad[i] + c.l2 * weight[i];
    const T b = c.momentum * buffer[i] + c.gradient_share * g;
    buffer[i] = b;
    weight[i] -= c.learning_rate * (c.gradient_part * g + c.momentum_part * b);
  }
}

template <class T>
void ema_row(T* __restrict shadow, const T* __restrict weight, int64_t count, T one_minus_decay) {
  for (int64_t i = 0; i < count; ++i) shadow[i] -= one_minus_decay * (shadow[i] - weight[i]);
}

/// Sixteen running sums whatever the vector width, so that every instruction set gives the same bits.
template <class T>
double sum_of_squares_row(const T* x, int64_t count) {
  double lanes[16] = {};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int lane = 0; lane < 16; ++lane) lanes[lane] += double(x[i + lane]) * double(x[i + lane]);
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] += double(x[i]) * double(x[i]);
  for (int half = 8; half > 0; half /= 2)
    for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

}  // namespace
}  // namespace PLUMB_ISA
}  // namespace plumb
