#pragma once

// The loops of the optimisers over contiguous elements, in the compute type T: one pass over memory a step. Plain
// arithmetic in a fixed order, which the compiler turns into vector code, square root and division included.

#include "engine/isa/optim_kernels.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

template <class T>
void adam_row(T* weight, const T* grad, T* m, T* v, int64_t count, const AdamCoefficients<T>& coefficients) {
  const AdamCoefficients<T> c = coefficients;
  vector_loop(count, [=](int64_t i) {
    const T w = weight[i] * c.shrink;
    const T g = grad[i] + c.l2 * w;
    const T first = m[i] + c.one_minus_beta1 * (g - m[i]);
    const T second = c.beta2 * v[i] + c.one_minus_beta2 * g * g;
    m[i] = first;
    v[i] = second;
    weight[i] = w - c.step_size * (first / (root(second) * c.inverse_root_correction2 + c.epsilon));
  });
}

template <class T>
void sgd_row(T* weight, const T* grad, int64_t count, const SgdCoefficients<T>& coefficients) {
  const SgdCoefficients<T> c = coefficients;
  vector_loop(count, [=](int64_t i) { weight[i] -= c.learning_rate * (grad[i] + c.l2 * weight[i]); });
}

template <class T>
void sgd_momentum_row(T* weight, const T* grad, T* buffer, int64_t count, const SgdCoefficients<T>& coefficients) {
  const SgdCoefficients<T> c = coefficients;
  vector_loop(count, [=](int64_t i) {
    const T g = grad[i] + c.l2 * weight[i];
    const T b = c.momentum * buffer[i] + c.gradient_share * g;
    buffer[i] = b;
    weight[i] -= c.learning_rate * (c.gradient_part * g + c.momentum_part * b);
  });
}

template <class T>
void ema_row(T* shadow, const T* weight, int64_t count, T one_minus_decay) {
  vector_loop(count, [=](int64_t i) { shadow[i] -= one_minus_decay * (shadow[i] - weight[i]); });
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
}  // namespace plumb::PLUMB_ISA
