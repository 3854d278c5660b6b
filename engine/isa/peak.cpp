// Twelve chains of multiply-adds in registers: two a cycle with a latency of four need eight. Portable processors have
// no fused multiply-add to count on; there a product and a sum are two instructions.

#include "engine/isa/peak_kernels.h"

#include "engine/isa/variants.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace plumb::PLUMB_ISA {
namespace {

#if defined(__AVX512F__)
using Vector = __m512;
constexpr int kLanes = 16;
[[gnu::always_inline]] inline Vector broadcast(float x) { return _mm512_set1_ps(x); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline float first(Vector x) { return _mm512_cvtss_f32(x); }
#elif defined(__AVX2__)
using Vector = __m256;
constexpr int kLanes = 8;
[[gnu::always_inline]] inline Vector broadcast(float x) { return _mm256_set1_ps(x); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline float first(Vector x) { return _mm256_cvtss_f32(x); }
#else
typedef float Vector __attribute__((vector_size(16)));
constexpr int kLanes = 4;
[[gnu::always_inline]] inline Vector broadcast(float x) { return Vector{x, x, x, x}; }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
[[gnu::always_inline]] inline float first(Vector x) { return x[0]; }
#endif

constexpr int kChains = 12;

void multiply_adds(int64_t rounds, float* sink) {
  const Vector factor = broadcast(0.999f), offset = broadcast(0.001f);  // the chains stay near 1
  Vector chain[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) chain[i] = broadcast(float(i));
  for (int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = multiply_add(chain[i], factor, offset);
  float total = 0;
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total += first(chain[i]);
  *sink = total;
}

void triad(float* a, const float* b, const float* c, float factor, int64_t count) {
  vector_loop(count, [=](int64_t i) { a[i] = b[i] + factor * c[i]; });
}

}  // namespace

constinit const PeakKernels peak_kernels = {multiply_adds, 2 * kChains* kLanes, triad};

}  // namespace plumb::PLUMB_ISA
