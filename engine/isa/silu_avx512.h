#pragma once

// Internal: SiLU for AVX-512, with the bits of Silu in activation_functors.h (tested over all of float's range). Of
// that functor's 43 instructions a vector these remain: the two-sided clamp is a min and a max (with the operand order
// that lets NaN through), 2^n is one scalef in place of two factors, and the exact product of the argument reduction is
// fused into its subtraction. Four vectors go side by side, because one chain of 25 operations would leave the
// arithmetic units waiting: 3.6 ns a vector with its derivative, where the compiled functor takes 6.5.

#include "engine/math.h"
#include "engine/simd.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace plumb::PLUMB_ISA {
namespace {

/// Unmasked, but gcc 12 warns of its own header's undefined registers in the plain forms of some operations.
constexpr __mmask16 kAll = 0xffff;

struct SiluPair {
  __m512 value[4], derivative[4];
};

/// Four vectors; `derivative` is dead code where nobody reads it.
[[gnu::always_inline, gnu::flatten]] inline SiluPair silu4(const __m512 (&x)[4]) {
  auto all = [](float value) { return _mm512_set1_ps(value); };
  const __m512 one = all(1.0f);
  __m512 r[4], n[4], p[4], q[4];
  SiluPair out;
  auto each = [](auto step) { step(0), step(1), step(2), step(3); };
  // e^-x as in math::exp: split_exp, exp_tail
  each([&](int u) { r[u] = _mm512_xor_ps(x[u], all(-0.0f)); });
  each([&](int u) { r[u] = _mm512_maskz_max_ps(kAll, all(-104.0f), _mm512_maskz_min_ps(kAll, all(89.0f), r[u])); });
  each([&](int u) { n[u] = _mm512_add_ps(_mm512_mul_ps(r[u], all(1.44269504f)), all(math::kRoundMagic)); });
  each([&](int u) { n[u] = _mm512_sub_ps(n[u], all(math::kRoundMagic)); });
  each([&](int u) { q[u] = _mm512_mul_ps(n[u], all(-2.12194440e-4f)); });
  each([&](int u) { r[u] = _mm512_sub_ps(_mm512_fnmadd_ps(n[u], all(0.693359375f), r[u]), q[u]); });
  each([&](int u) { p[u] = _mm512_add_ps(_mm512_mul_ps(all(0x1.6db4e4p-10f), r[u]), all(0x1.123be0p-7f)); });
  each([&](int u) { q[u] = _mm512_mul_ps(r[u], r[u]); });
  each([&](int u) { p[u] = _mm512_add_ps(_mm512_mul_ps(p[u], r[u]), all(0x1.55545ep-5f)); });
  each([&](int u) { p[u] = _mm512_add_ps(_mm512_mul_ps(p[u], r[u]), all(0x1.55548ep-3f)); });
  each([&](int u) { p[u] = _mm512_add_ps(_mm512_mul_ps(p[u], r[u]), all(0.5f)); });
  each([&](int u) { p[u] = _mm512_add_ps(one, _mm512_add_ps(r[u], _mm512_mul_ps(q[u], p[u]))); });
  each([&](int u) { p[u] = _mm512_add_ps(one, _mm512_maskz_scalef_ps(kAll, p[u], n[u])); });
  each([&](int u) { p[u] = _mm512_div_ps(one, p[u]); });  // sigmoid(x)
  each([&](int u) { out.value[u] = _mm512_mul_ps(x[u], p[u]); });
  each([&](int u) { r[u] = _mm512_add_ps(one, _mm512_mul_ps(x[u], _mm512_sub_ps(one, p[u]))); });
  each([&](int u) { out.derivative[u] = _mm512_mul_ps(p[u], r[u]); });
  return out;
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
#endif
