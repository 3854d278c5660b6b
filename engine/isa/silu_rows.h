#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/isa/stages.h"
#include "engine/ops/elementwise/activation_functors.h"

// Internal: rows of SiLU with the bits of Silu in activation_functors.h: that functor, staged; in float on AVX-512 the
// rows of silu.cpp.

namespace plumb::PLUMB_ISA {

#if defined(__AVX512F__)
void silu_row_float(int64_t count, float* y, const float* x);
void silu_backward_row_float(int64_t count, float* out, const float* grad, const float* x);
/// y[i] = silu(x[i]), derivative[i] = silu'(x[i]); y may be x.
void silu_pair_row_float(int64_t count, float* y, float* derivative, const float* x);
#endif

namespace {

/// y[i] = silu(x[i]); y may be x.
template <class T>
[[gnu::always_inline]] inline void silu_row(int64_t count, T* y, const T* x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>)
    silu_row_float(count, y, x);
  else
#endif
    staged_row(count, y, x, [](T value) { return Silu::forward(value); });
}

/// out[i] = grad[i] silu'(x[i]); out may be x or grad.
template <class T>
[[gnu::always_inline]] inline void silu_backward_row(int64_t count, T* out, const T* grad, const T* x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>)
    silu_backward_row_float(count, out, grad, x);
  else
#endif
    staged_row(count, out, grad, x, [](T up, T value) { return Silu::backward(up, value); });
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
