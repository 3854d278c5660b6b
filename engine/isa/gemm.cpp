// The micro-kernel of the matrix product, compiled once an instruction set (kernels.h). It keeps a tile of c in
// registers and reads one row of b and one column of a for every step of depth:
//
//             registers for c        of 32 (AVX-512) or 16 (AVX2)
//   AVX-512   14 rows x 2 vectors    28 + 2 for b + 1 for a
//   AVX2       6 rows x 2 vectors    12 + 2 for b + 1 for a
//
// Two multiply-adds a cycle with a latency of 4 need 8 chains; the rest of the registers buys reuse: a step of the
// AVX-512 tile loads 16 times for 28 multiply-adds, of which two loads a cycle are free. a is read where it lies, one
// broadcast a row: packing it would cost as much as it saves when c is narrow. The portable build has no kernels here,
// because without fused multiply-add in registers OpenBLAS is the better portable path.

#include "engine/isa/gemm_kernels.h"

#include "engine/gemm_epilogue.h"
#include "engine/isa/variants.h"
#include "engine/ops/linalg/linear_rows.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__)
#include "engine/isa/gemm_silu.h"
#endif

namespace plumb::PLUMB_ISA {

#if defined(__AVX2__)
namespace {

#if defined(__AVX512F__)
using Vector = __m512;
using Mask = __mmask16;
constexpr int kLanes = 16, kRows = 14;
[[gnu::always_inline]] inline Vector zero() { return _mm512_setzero_ps(); }
[[gnu::always_inline]] inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
[[gnu::always_inline]] inline Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
[[gnu::always_inline]] inline Mask first_lanes(int64_t n) { return Mask((uint32_t(1) << n) - 1); }
[[gnu::always_inline]] inline Vector load(const float* p, Mask mask) { return _mm512_maskz_loadu_ps(mask, p); }
[[gnu::always_inline]] inline void store(float* p, Vector x, Mask mask) { _mm512_mask_storeu_ps(p, mask, x); }
#else
using Vector = __m256;
using Mask = __m256i;
constexpr int kLanes = 8, kRows = 6;
[[gnu::always_inline]] inline Vector zero() { return _mm256_setzero_ps(); }
[[gnu::always_inline]] inline Vector load(const float* p) { return _mm256_loadu_ps(p); }
[[gnu::always_inline]] inline Vector broadcast(const float* p) { return _mm256_broadcast_ss(p); }
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
[[gnu::always_inline]] inline Mask first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
[[gnu::always_inline]] inline Vector load(const float* p, Mask mask) { return _mm256_maskload_ps(p, mask); }
[[gnu::always_inline]] inline void store(float* p, Vector x, Mask mask) { _mm256_maskstore_ps(p, mask, x); }
#endif
constexpr int kColumns = 2 * kLanes;

[[gnu::always_inline]] inline int64_t clamp_lanes(int64_t n) { return n < 0 ? 0 : n > kLanes ? kLanes : n; }

template <int Rows, int Vectors>
[[gnu::always_inline]] inline void clear(Vector (&acc)[Rows][Vectors]) {
#pragma GCC unroll 14
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) acc[i][v] = zero();
}

/// c = acc (+ c) (+ bias), the columns beyond the tile's left alone.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void finish(const GemmTile& t, const Vector (&acc)[Rows][Vectors]) {
#pragma GCC unroll 2
  for (int v = 0; v < Vectors; ++v) {
    const Mask mask = first_lanes(clamp_lanes(t.columns - v * kLanes));
    const Vector bias = t.bias ? load(t.bias + v * kLanes, mask) : zero();
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      float* c = t.c + i * t.c_row + v * kLanes;
      Vector sum = acc[i][v];
      if (t.add) sum = add(load(c, mask), sum);
      if (t.bias) sum = add(sum, bias);
      store(c, sum, mask);
    }
  }
}

/// Rows of a one apart (packed, or a transposed matrix): a step of depth reads neighbours.
template <int Rows, int Vectors>
void tile_of_columns(const GemmTile& t) {
  Vector acc[Rows][Vectors];
  clear<Rows, Vectors>(acc);
  const float* a = t.a;
  const float* b = t.b;
  const int64_t a_step = t.a_step, b_step = t.b_step;
  for (int64_t k = t.depth; k > 0; --k) {
    Vector row_of_b[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) row_of_b[v] = load(b + v * kLanes);
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      const Vector x = broadcast(a + i);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) acc[i][v] = multiply_add(x, row_of_b[v], acc[i][v]);
    }
    a += a_step;
    b += b_step;
  }
  finish<Rows, Vectors>(t, acc);
}

/// Steps of a one apart (a matrix as it lies): a row has its own place, three rows share a pointer and the address
/// arithmetic of the load finds the other two.
template <int Rows, int Vectors>
void tile_of_rows(const GemmTile& t) {
  constexpr int kBases = (Rows + 2) / 3;
  Vector acc[Rows][Vectors];
  clear<Rows, Vectors>(acc);
  const int64_t row = t.a_row, b_step = t.b_step;
  const float* base[kBases];
#pragma GCC unroll 5
  for (int j = 0; j < kBases; ++j) base[j] = t.a + 3 * j * row;
  const float* b = t.b;
  for (int64_t k = t.depth; k > 0; --k) {
    Vector row_of_b[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) row_of_b[v] = load(b + v * kLanes);
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      const Vector x = broadcast(base[i / 3] + (i % 3) * row);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) acc[i][v] = multiply_add(x, row_of_b[v], acc[i][v]);
    }
#pragma GCC unroll 5
    for (int j = 0; j < kBases; ++j) ++base[j];
    b += b_step;
  }
  finish<Rows, Vectors>(t, acc);
}

using TileFunction = void (*)(const GemmTile&);

/// By number of rows; a tile of at most one vector of columns does half the work.
struct TileTable {
  TileFunction of_rows[2][kRows];
  TileFunction of_columns[2][kRows];
};

template <int Rows>
constexpr void fill(TileTable& table) {
  table.of_rows[0][Rows - 1] = tile_of_rows<Rows, 1>;
  table.of_rows[1][Rows - 1] = tile_of_rows<Rows, 2>;
  table.of_columns[0][Rows - 1] = tile_of_columns<Rows, 1>;
  table.of_columns[1][Rows - 1] = tile_of_columns<Rows, 2>;
  if constexpr (Rows > 1) fill<Rows - 1>(table);
}

constexpr TileTable make_tiles() {
  TileTable table{};
  fill<kRows>(table);
  return table;
}

constexpr TileTable kTiles = make_tiles();

/// Rows of full width in place; the last columns of a matrix by way of a row that is padded to full width, so that they
/// are vector code too.
template <class F>
[[gnu::flatten]] void activate(const GemmTile& t) {
  for (int64_t i = 0; i < t.rows; ++i) {
    float* c = t.c + i * t.c_row;
    float* derivative = t.derivative ? t.derivative + i * t.c_row : nullptr;
    if (t.columns == kColumns) {
      activate_row<F>(c, derivative, kColumns);
      continue;
    }
    float padded[kColumns] = {}, padded_derivative[kColumns];
    for (int64_t j = 0; j < t.columns; ++j) padded[j] = c[j];
    activate_row<F>(padded, derivative ? padded_derivative : nullptr, kColumns);
    for (int64_t j = 0; j < t.columns; ++j) c[j] = padded[j];
    if (!derivative) continue;
    for (int64_t j = 0; j < t.columns; ++j) derivative[j] = padded_derivative[j];
  }
}

void activate_tile(const GemmTile& t) {
  switch (t.activation) {
    case FusedActivation::none:
      return;
    case FusedActivation::relu:
      return activate<Relu>(t);
    case FusedActivation::silu:
#if defined(__AVX512F__)
      return silu_tile(t.c, t.derivative, t.c_row, t.rows, t.columns);
#else
      return activate<Silu>(t);
#endif
    case FusedActivation::gelu:
      return activate<Gelu>(t);
    case FusedActivation::gelu_tanh:
      return activate<GeluTanh>(t);
  }
}

void tile(const GemmTile& t) {
  // The rows of c arrive while the products are formed: in a large c each is a page of its own.
  for (int64_t i = 0; i < t.rows; ++i) {
    __builtin_prefetch(t.c + i * t.c_row, 1);
    __builtin_prefetch(t.c + i * t.c_row + t.columns - 1, 1);
  }
  const auto& tiles = t.a_row == 1 ? kTiles.of_columns : kTiles.of_rows;
  tiles[t.columns > kLanes][t.rows - 1](t);
  if (t.activation != FusedActivation::none) activate_tile(t);
}

/// Eight rows of eight become eight columns of eight, in three rounds of pairing: 1, 2 and 4 lanes apart.
[[gnu::always_inline]] inline void transpose8(__m256 (&r)[8]) {
  __m256 s[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    s[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    s[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int half = 0; half < 8; half += 4) {
    r[half] = _mm256_shuffle_ps(s[half], s[half + 2], 0x44);
    r[half + 1] = _mm256_shuffle_ps(s[half], s[half + 2], 0xee);
    r[half + 2] = _mm256_shuffle_ps(s[half + 1], s[half + 3], 0x44);
    r[half + 3] = _mm256_shuffle_ps(s[half + 1], s[half + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    s[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    s[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) r[i] = s[i];
}

/// Groups of eight lines, the last first: a group that is wider than what is left of the panel overruns into the next
/// row, whose first group then puts it right.
void pack_transposed(const float* source, int64_t stride, int64_t lines, int64_t depth, float* panel, int64_t width) {
  for (int64_t first = (width - 1) / 8 * 8; first >= 0; first -= 8) {
    const int64_t present = lines - first < 0 ? 0 : lines - first > 8 ? 8 : lines - first;
    for (int64_t k = 0; k < depth; k += 8) {
      const int64_t steps = depth - k < 8 ? depth - k : 8;
      const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(int(steps)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
      __m256 r[8];
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j)
        r[j] = j < present ? _mm256_maskload_ps(source + (first + j) * stride + k, mask) : _mm256_setzero_ps();
      transpose8(r);
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j)
        if (j < steps) _mm256_storeu_ps(panel + (k + j) * width + first, r[j]);
    }
  }
}

}  // namespace

constinit const GemmKernels gemm_kernels = {kRows, kColumns, tile, pack_transposed, scale_and_sum_rows<float>};

#else

constinit const GemmKernels gemm_kernels = {0, 0, nullptr, nullptr, scale_and_sum_rows<float>};

#endif

}  // namespace plumb::PLUMB_ISA
