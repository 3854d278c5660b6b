#pragma once

#include "engine/isa/silu_avx512.h"

// Internal: the SiLU that a tile of a product ends with, on AVX-512.

#if defined(__AVX512F__)

namespace plumb::PLUMB_ISA {
namespace {

/// c = silu(c) over rows of at most 32 columns, and its derivative, rows as far apart, unless that is null.
void silu_tile(float* c, float* derivative, int64_t row, int64_t rows, int64_t columns) {
  const uint32_t lanes = columns >= 32 ? ~uint32_t(0) : (uint32_t(1) << columns) - 1;
  const __mmask16 left = __mmask16(lanes), right = __mmask16(lanes >> 16);
  for (int64_t i = 0; i < rows; i += 2) {
    float* at = c + i * row;
    float* next = i + 1 < rows ? at + row : at;  // a last single row is done twice, from what was read
    const __m512 x[4] = {_mm512_maskz_loadu_ps(left, at), _mm512_maskz_loadu_ps(right, at + 16),
                         _mm512_maskz_loadu_ps(left, next), _mm512_maskz_loadu_ps(right, next + 16)};
    const SiluPair y = silu4(x);
    _mm512_mask_storeu_ps(at, left, y.value[0]);
    _mm512_mask_storeu_ps(at + 16, right, y.value[1]);
    _mm512_mask_storeu_ps(next, left, y.value[2]);
    _mm512_mask_storeu_ps(next + 16, right, y.value[3]);
    if (!derivative) continue;
    float* d = derivative + i * row;
    float* next_d = d + (next - at);
    _mm512_mask_storeu_ps(d, left, y.derivative[0]);
    _mm512_mask_storeu_ps(d + 16, right, y.derivative[1]);
    _mm512_mask_storeu_ps(next_d, left, y.derivative[2]);
    _mm512_mask_storeu_ps(next_d + 16, right, y.derivative[3]);
  }
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
#endif
