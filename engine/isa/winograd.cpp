// The five transforms of Winograd's convolution, compiled once an instruction set (kernels.h). A lane is a channel: a
// tile of one vector of channels is transformed along its columns into a scratch array, which stays in the first-level
// cache, and from there along its rows. Channels left over go through the same source in half a vector, a quarter of
// one, and at last one by one: 24 channels are a vector and a half, not a vector and eight tiles more. The portable
// build has none, for it has no micro-kernel of the product either (gemm.cpp).
//
// The matrices, of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), interpolate polynomials
// at the points 0, a, -a, b, -b and infinity. With A = 2 a^2 (a^2 - b^2) and B = 2 b^2 (b^2 - a^2):
//
//         a^2b^2   0    -a^2-b^2   0     1  0          1/a^2b^2   0    0
//           0    -ab^2    -b^2     a     1  0            1/A    a/A  a^2/A            1  1   1   1   1   0
//   B^T =   0     ab^2    -b^2    -a     1  0    G =     1/A   -a/A  a^2/A    A^T =   0  a  -a   b  -b   0
//           0    -a^2b    -a^2     b     1  0            1/B    b/B  b^2/B            0 a^2 a^2 b^2 b^2  0
//           0     a^2b    -a^2    -b     1  0            1/B   -b/B  b^2/B            0 a^3-a^3 b^3-b^3  1
//           0    a^2b^2     0  -a^2-b^2  0  1             0      0     1
//
// The paper's points are 1 and 2. 5/8 and 3/2 halve the rounding error (64 channels: 8e-7 of the result instead of
// 17e-7): no power of them is far from 1. Of the points that were tried only the roots of 1/2 and 2 do as well, and
// their powers are not exact.

#include "engine/isa/winograd_kernels.h"

#include "engine/isa/variants.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace plumb::PLUMB_ISA {

#if defined(__AVX2__)
namespace {

template <class V>
[[gnu::always_inline]] inline V load(const float* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}
template <class V>
[[gnu::always_inline]] inline void store(float* p, V v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

/// multiply_add(c, x, y) is c x + y and subtract(y, c, x) is y - c x, rounded once.
[[gnu::always_inline]] inline float multiply_add(float c, float x, float y) { return __builtin_fmaf(c, x, y); }
[[gnu::always_inline]] inline float subtract(float y, float c, float x) { return __builtin_fmaf(-c, x, y); }
[[gnu::always_inline]] inline __m128 multiply_add(float c, __m128 x, __m128 y) {
  return _mm_fmadd_ps(_mm_set1_ps(c), x, y);
}
[[gnu::always_inline]] inline __m128 subtract(__m128 y, float c, __m128 x) {
  return _mm_fnmadd_ps(_mm_set1_ps(c), x, y);
}
[[gnu::always_inline]] inline __m256 multiply_add(float c, __m256 x, __m256 y) {
  return _mm256_fmadd_ps(_mm256_set1_ps(c), x, y);
}
[[gnu::always_inline]] inline __m256 subtract(__m256 y, float c, __m256 x) {
  return _mm256_fnmadd_ps(_mm256_set1_ps(c), x, y);
}
#if defined(__AVX512F__)
[[gnu::always_inline]] inline __m512 multiply_add(float c, __m512 x, __m512 y) {
  return _mm512_fmadd_ps(_mm512_set1_ps(c), x, y);
}
[[gnu::always_inline]] inline __m512 subtract(__m512 y, float c, __m512 x) {
  return _mm512_fnmadd_ps(_mm512_set1_ps(c), x, y);
}
#endif

constexpr double kA = 0.625, kB = 1.5, kA2 = kA * kA, kB2 = kB * kB;
constexpr double kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));
constexpr float a1 = float(kA), a2 = float(kA2), a3 = float(kA2 * kA), b1 = float(kB), b2 = float(kB2),
                b3 = float(kB2 * kB);
constexpr float both = float(kA2 * kB2), sum = float(kA2 + kB2);
constexpr float g0 = float(1 / (kA2 * kB2));
constexpr float ga0 = float(kScaleA), ga1 = float(kA * kScaleA), ga2 = float(kA2 * kScaleA);
constexpr float gb0 = float(kScaleB), gb1 = float(kB * kScaleB), gb2 = float(kB2 * kScaleB);

/// B^T d.
struct Input {
  static constexpr int kIn = 6, kOut = 6;
  template <class V>
  [[gnu::always_inline]] static void apply(const V (&d)[kIn], V (&t)[kOut]) {
    const V even_a = subtract(d[4], b2, d[2]), odd_a = subtract(d[3], b2, d[1]);
    const V even_b = subtract(d[4], a2, d[2]), odd_b = subtract(d[3], a2, d[1]);
    t[0] = multiply_add(both, d[0], subtract(d[4], sum, d[2]));
    t[1] = multiply_add(a1, odd_a, even_a);
    t[2] = subtract(even_a, a1, odd_a);
    t[3] = multiply_add(b1, odd_b, even_b);
    t[4] = subtract(even_b, b1, odd_b);
    t[5] = multiply_add(both, d[1], subtract(d[5], sum, d[3]));
  }
};

/// G g.
struct Kernel {
  static constexpr int kIn = 3, kOut = 6;
  template <class V>
  [[gnu::always_inline]] static void apply(const V (&g)[kIn], V (&t)[kOut]) {
    const V even_a = multiply_add(ga0, g[0], ga2 * g[2]);
    const V even_b = multiply_add(gb0, g[0], gb2 * g[2]);
    t[0] = g0 * g[0];
    t[1] = multiply_add(ga1, g[1], even_a);
    t[2] = subtract(even_a, ga1, g[1]);
    t[3] = multiply_add(gb1, g[1], even_b);
    t[4] = subtract(even_b, gb1, g[1]);
    t[5] = g[2];
  }
};

/// A^T m.
struct Output {
  static constexpr int kIn = 6, kOut = 4;
  template <class V>
  [[gnu::always_inline]] static void apply(const V (&m)[kIn], V (&y)[kOut]) {
    const V even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = multiply_add(a1, odd_a, b1 * odd_b);
    y[2] = multiply_add(a2, even_a, b2 * even_b);
    y[3] = multiply_add(a3, odd_a, multiply_add(b3, odd_b, m[5]));
  }
};

/// A g.
struct Gradient {
  static constexpr int kIn = 4, kOut = 6;
  template <class V>
  [[gnu::always_inline]] static void apply(const V (&g)[kIn], V (&t)[kOut]) {
    const V even_a = multiply_add(a2, g[2], g[0]), odd_a = multiply_add(a2, g[3], g[1]);
    const V even_b = multiply_add(b2, g[2], g[0]), odd_b = multiply_add(b2, g[3], g[1]);
    t[0] = g[0];
    t[1] = multiply_add(a1, odd_a, even_a);
    t[2] = subtract(even_a, a1, odd_a);
    t[3] = multiply_add(b1, odd_b, even_b);
    t[4] = subtract(even_b, b1, odd_b);
    t[5] = g[3];
  }
};

/// G^T m.
struct KernelGradient {
  static constexpr int kIn = 6, kOut = 3;
  template <class V>
  [[gnu::always_inline]] static void apply(const V (&m)[kIn], V (&g)[kOut]) {
    const V even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    g[0] = multiply_add(g0, m[0], multiply_add(ga0, even_a, gb0 * even_b));
    g[1] = multiply_add(ga1, odd_a, gb1 * odd_b);
    g[2] = multiply_add(ga2, even_a, multiply_add(gb2, even_b, m[5]));
  }
};

/// M d M^T for one vector; source(k) gives value k of the tile, sink(k, v) takes value k of the result.
template <class Matrix, class V, class Source, class Sink>
[[gnu::always_inline]] inline void both_ways(Source source, Sink sink) {
  constexpr int kIn = Matrix::kIn, kOut = Matrix::kOut;
  V half[kOut][kIn];
  for (int column = 0; column < kIn; ++column) {
    V d[kIn], t[kOut];
#pragma GCC unroll 6
    for (int row = 0; row < kIn; ++row) d[row] = source(row * kIn + column);
    Matrix::apply(d, t);
#pragma GCC unroll 6
    for (int row = 0; row < kOut; ++row) half[row][column] = t[row];
  }
  for (int row = 0; row < kOut; ++row) {
    V t[kOut];
    Matrix::apply(half[row], t);
#pragma GCC unroll 6
    for (int column = 0; column < kOut; ++column) sink(row * kOut + column, t[column]);
  }
}

/// Vectors of channels, then what is left in ever smaller ones. from(k) is where value k lies, to(k) where it goes;
/// finish(v, c, to) is what is stored at `to` for channel c.
template <class Matrix, class From, class To, class Finish>
[[gnu::always_inline]] inline void transform(int64_t channels, From from, To to, Finish finish) {
  int64_t c = 0;
  const auto run = [&]<class V>(const V&) __attribute__((always_inline)) {
    constexpr int kWide = int(sizeof(V) / sizeof(float));
    for (; c + kWide <= channels; c += kWide)
      both_ways<Matrix, V>([&](int k) { return load<V>(from(k) + c); },
                           [&](int k, const V& v) { store<V>(to(k) + c, finish(v, c, to(k) + c)); });
  };
#if defined(__AVX512F__)
  run(__m512{});
#endif
  run(__m256{});
  run(__m128{});
  run(0.0f);
}

constexpr auto kAsItIs = [](const auto& v, int64_t, const float*) { return v; };

void input(const float* const* from, float* to, int64_t step, int64_t channels) {
  transform<Input>(
      channels, [=](int k) { return from[k]; }, [=](int k) { return to + k * step; }, kAsItIs);
}

void kernel(const float* from, int64_t from_step, float* to, int64_t step, int64_t channels) {
  transform<Kernel>(
      channels, [=](int k) { return from + k * from_step; }, [=](int k) { return to + k * step; }, kAsItIs);
}

void output(const float* from, int64_t step, const float* bias, float* const* to, int64_t channels) {
  const auto source = [=](int k) { return from + k * step; };
  const auto sink = [=](int k) { return to[k]; };
  if (!bias) return transform<Output>(channels, source, sink, kAsItIs);
  transform<Output>(channels, source, sink,
                    [=]<class V>(const V& v, int64_t c, const float*) { return v + load<V>(bias + c); });
}

void gradient(const float* const* from, float* to, int64_t step, int64_t channels) {
  transform<Gradient>(
      channels, [=](int k) { return from[k]; }, [=](int k) { return to + k * step; }, kAsItIs);
}

void kernel_gradient(const float* from, int64_t step, float* to, int64_t to_step, int64_t channels, bool add) {
  const auto source = [=](int k) { return from + k * step; };
  const auto sink = [=](int k) { return to + k * to_step; };
  if (!add) return transform<KernelGradient>(channels, source, sink, kAsItIs);
  transform<KernelGradient>(channels, source, sink,
                            [=]<class V>(const V& v, int64_t, const float* old) { return load<V>(old) + v; });
}

}  // namespace

constinit const WinogradKernels winograd_kernels = {input, kernel, output, gradient, kernel_gradient};

#else

constinit const WinogradKernels winograd_kernels = {nullptr, nullptr, nullptr, nullptr, nullptr};

#endif

}  // namespace plumb::PLUMB_ISA
