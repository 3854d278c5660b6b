#pragma once

// 16-bit floats to float and back with the hardware's instructions: one each, where the portable code of dtype.h takes
// six and, for f16, branches, which keep a compiler from unrolling the loops around them. The same values; a NaN may
// have other bits.

#include "engine/ops/reduce/convert.h"

/// Before a loop over registers: an array indexed by a loop that stays a loop would live in memory.
#ifdef __CUDACC__
#define PLUMB_UNROLL _Pragma("unroll")
#else
#define PLUMB_UNROLL
#endif

namespace plumb {

template <class T>
__device__ inline float to_float(T value) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<T, Float16>) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
  }
#endif
  return load_as<float>(value);
}

/// Rounds to nearest, ties to even.
template <class T>
__device__ inline T from_float(float value) {
#ifdef __CUDA_ARCH__
  T result;
  if constexpr (std::is_same_v<T, Float16>) {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  }
  if constexpr (std::is_same_v<T, BFloat16>) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  }
#endif
  return store_as<T>(value);
}

}  // namespace plumb
