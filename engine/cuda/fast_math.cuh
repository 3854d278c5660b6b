#pragma once

// The hardware's approximations (relative error below 2^-21), for kernels whose results are rounded to 16 bits: there
// the exact polynomials of engine/math.h would cost more time than the memory. f32 and f64 keep the exact ones.

#include <cuda_runtime.h>

#include "engine/dtype.h"
#include "engine/math.h"
#include "engine/ops/elementwise/activation_functors.h"

namespace plumb {

__device__ inline float fast_exp(float x) {
#ifdef __CUDACC__
  return __expf(x);
#else
  return math::exp(x);  // the emulator
#endif
}

/// numerator / denominator; 0 for denominators above 2^126.
__device__ inline float fast_divide(float numerator, float denominator) {
#ifdef __CUDACC__
  return __fdividef(numerator, denominator);
#else
  return numerator / denominator;
#endif
}

/// SiLU of values that are stored as T.
template <class T>
struct SiluFor {
  template <class A>
  static __device__ A forward(A x) {
    if constexpr (is_half<T>)
      return fast_divide(x, 1.0f + fast_exp(-x));
    else
      return PLUMB_ISA::Silu::forward(x);
  }
  template <class A>
  static __device__ A backward(A grad, A x) {
    if constexpr (is_half<T>) {
      const float s = fast_divide(1.0f, 1.0f + fast_exp(-x));
      return grad * (s * (1.0f + x * (1.0f - s)));
    } else {
      return PLUMB_ISA::Silu::backward(grad, x);
    }
  }
};

}  // namespace plumb
