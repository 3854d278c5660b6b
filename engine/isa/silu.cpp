// Rows of SiLU in float, written by hand for AVX-512 (silu_avx512.h); the other instruction sets compile the functor
// where it is used. A source of its own: the order of instructions is what was written, while those that include
// stages.h ask the compiler for another, which made the gradient half as fast.

#include "engine/isa/silu_rows.h"

#if defined(__AVX512F__)
#include "engine/isa/silu_avx512.h"

namespace plumb::PLUMB_ISA {
namespace {

constexpr int64_t kWidth = 16, kBlock = 4 * kWidth;

/// Elements of the four vectors, all of them.
struct Whole {
  static __m512 load(int u, const float* x) { return _mm512_loadu_ps(x + kWidth * u); }
  static void store(int u, float* y, __m512 value) { _mm512_storeu_ps(y + kWidth * u, value); }
};
/// The first few. Not used for whole blocks: a masked store delays whoever reads it next.
struct Part {
  explicit Part(int64_t count) : lanes((uint64_t(1) << count) - 1) {}
  __mmask16 mask(int u) const { return __mmask16(lanes >> (kWidth * u)); }
  __m512 load(int u, const float* x) const { return _mm512_maskz_loadu_ps(mask(u), x + kWidth * u); }
  void store(int u, float* y, __m512 value) const { _mm512_mask_storeu_ps(y + kWidth * u, mask(u), value); }
  uint64_t lanes;
};

/// use(first element, access to four vectors from there, their silu and derivative) for every four vectors.
template <class Use>
[[gnu::always_inline]] inline void for_each_silu4(int64_t count, const float* x, Use use) {
  auto block = [&](int64_t i, auto access) __attribute__((always_inline)) {
    const __m512 values[4] = {access.load(0, x + i), access.load(1, x + i), access.load(2, x + i),
                              access.load(3, x + i)};
    use(i, access, silu4(values));
  };
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) block(i, Whole());
  if (i < count) block(i, Part(count - i));
}

}  // namespace

void silu_row_float(int64_t count, float* y, const float* x) {
  for_each_silu4(
      count, x, [=](int64_t i, auto access, const SiluPair& silu) __attribute__((always_inline)) {
        for (int u = 0; u < 4; ++u) access.store(u, y + i, silu.value[u]);
      });
}

void silu_pair_row_float(int64_t count, float* y, float* derivative, const float* x) {
  for_each_silu4(
      count, x, [=](int64_t i, auto access, const SiluPair& silu) __attribute__((always_inline)) {
        for (int u = 0; u < 4; ++u) access.store(u, y + i, silu.value[u]);
        for (int u = 0; u < 4; ++u) access.store(u, derivative + i, silu.derivative[u]);
      });
}

void silu_backward_row_float(int64_t count, float* out, const float* grad, const float* x) {
  for_each_silu4(
      count, x, [=](int64_t i, auto access, const SiluPair& silu) __attribute__((always_inline)) {
        for (int u = 0; u < 4; ++u)
          access.store(u, out + i, _mm512_mul_ps(access.load(u, grad + i), silu.derivative[u]));
      });
}

}  // namespace plumb::PLUMB_ISA
#endif
