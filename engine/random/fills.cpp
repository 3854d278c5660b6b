#include "engine/random/fills.h"

#include <algorithm>

#include "engine/error.h"
#include "engine/isa/kernels.h"
#include "engine/ops/random/random_kernels.h"
#include "engine/parallel.h"
#include "engine/random/distributions.h"
#include "engine/require.h"

// The blocks of all rows are numbered through: flat block f is block f % per_row of row f / per_row. Chunks of them are
// drawn at once (engine/random/draw_rows.h), even for rows of two elements (points); a row whose size is no multiple of
// the block throws the rest of its last block away.

namespace plumb {
namespace {

constexpr int kChunk = kDrawBlocks;
constexpr int64_t kGrain = 8192;  // blocks a task: tens of us of work

inline uint64_t wide(uint32_t high, uint32_t low) { return uint64_t(high) << 32 | low; }

/// A distribution that the kernels of the processor know.
template <class T, void (*RandomKernels::*kRow)(const DrawnWords&, T*)>
struct Bulk {
  using Type = T;
  static constexpr int kPerBlock = int(16 / sizeof(T));
  void operator()(const DrawnWords& words, T* out) const { (kernels().random.*kRow)(words, out); }
};

struct Integers64 {
  using Type = int64_t;
  static constexpr int kPerBlock = 2;
  int64_t low;
  uint64_t range;
  void operator()(const DrawnWords& w, int64_t* out) const {
    for (int i = 0; i < w.count; ++i) {
      out[2 * i] = int64_t(uint64_t(low) + bounded(wide(w.a[i], w.b[i]), range));
      out[2 * i + 1] = int64_t(uint64_t(low) + bounded(wide(w.c[i], w.d[i]), range));
    }
  }
};

/// The first `count` of every kPerBlock elements. Counts are constants: a call of memcpy a row costs more than the
/// draw.
template <int kPerBlock, class T>
void copy_heads(const T* from, int64_t rows, int64_t count, T* to) {
  const auto copy = [=]<int kCount>() {
    for (int64_t i = 0; i < rows; ++i)
      for (int e = 0; e < kCount; ++e) to[i * kCount + e] = from[i * kPerBlock + e];
  };
  if (count == 1) copy.template operator()<1>();
  if (count == 2) copy.template operator()<2>();
  if (count == 3) copy.template operator()<3>();
  if (count == 4) copy.template operator()<4>();
}

// Flat blocks [begin, end) to their places in `out`.
template <class Distribution>
void fill_blocks(const RandomKey& key, Rows rows, int64_t begin, int64_t end, typename Distribution::Type* out,
                 const Distribution& distribution) {
  constexpr int64_t kPerBlock = Distribution::kPerBlock;
  const int64_t blocks_per_row = (rows.elements + kPerBlock - 1) / kPerBlock;
  const int64_t row = begin / blocks_per_row, element = begin % blocks_per_row * kPerBlock;
  int64_t left_in_row = rows.elements - element;
  out += row * rows.elements + element;
  DrawnWords words;
  alignas(64) typename Distribution::Type drawn[kChunk * kPerBlock];
  for (int64_t first = begin; first < end; first += kChunk) {
    const int64_t chunk_end = std::min(end, first + kChunk);
    words.count = int(chunk_end - first + kDrawGroup - 1) / kDrawGroup * kDrawGroup;
    const uint64_t sample = key.sample0 + uint64_t(first / blocks_per_row);
    kernels().random.draw({key.philox_key(), key.step, sample, uint64_t(first % blocks_per_row), blocks_per_row},
                          words);
    if (chunk_end - first == kChunk && left_in_row > kChunk * kPerBlock) {
      distribution(words, out);
      out += kChunk * kPerBlock;
      left_in_row -= kChunk * kPerBlock;
      continue;
    }
    distribution(words, drawn);
    if (blocks_per_row == 1) {
      copy_heads<kPerBlock>(drawn, chunk_end - first, rows.elements, out);
      out += (chunk_end - first) * rows.elements;
      continue;
    }
    for (int64_t f = first; f < chunk_end;) {  // one run of blocks that lies in one row
      const int64_t count = std::min((chunk_end - f) * kPerBlock, left_in_row);
      out = std::copy_n(drawn + (f - first) * kPerBlock, count, out);
      f += (count + kPerBlock - 1) / kPerBlock;
      left_in_row -= count;
      if (left_in_row == 0) left_in_row = rows.elements;
    }
  }
}

template <class Distribution>
void fill(const char* op, const RandomKey& key, Rows rows, typename Distribution::Type* out,
          const Distribution& distribution) {
  constexpr int64_t kPerBlock = Distribution::kPerBlock;
  check_draw(op, key, rows, kPerBlock);
  if (rows.elements == 0) return;
  const int64_t blocks = (rows.elements + kPerBlock - 1) / kPerBlock * rows.count;
  parallel_for(blocks, kGrain,
               [&](int64_t begin, int64_t end) { fill_blocks(key, rows, begin, end, out, distribution); });
}

}  // namespace

void check_draw(const char* op, const RandomKey& key, Rows rows, int64_t per_block) {
  require<ValueError>(rows.count >= 0 && rows.elements >= 0, "{}: sizes must not be negative ({} rows of {})", op,
                      rows.count, rows.elements);
  require<ValueError>(key.step < RandomKey::kMaxStep, "{}: step must be below 2^44 ({})", op, key.step);
  require<ValueError>(
      key.sample0 < RandomKey::kMaxSample && uint64_t(rows.count) <= RandomKey::kMaxSample - key.sample0,
      "{}: samples must be below 2^44 (first {}, {} rows)", op, key.sample0, rows.count);
  require<ValueError>(uint64_t(rows.elements) <= RandomKey::kMaxBlock * uint64_t(per_block),
                      "{}: a row must have at most {} elements ({})", op, RandomKey::kMaxBlock * uint64_t(per_block),
                      rows.elements);
}

void check_range(int64_t low, int64_t high) {
  require<ValueError>(low < high, "fill_randint: low must be below high (low {}, high {})", low, high);
}

void fill_uniform(const RandomKey& key, Rows rows, float* out) {
  fill("fill_uniform", key, rows, out, Bulk<float, &RandomKernels::uniform_f32>());
}
void fill_uniform(const RandomKey& key, Rows rows, double* out) {
  fill("fill_uniform", key, rows, out, Bulk<double, &RandomKernels::uniform_f64>());
}
void fill_normal(const RandomKey& key, Rows rows, float* out) {
  fill("fill_normal", key, rows, out, Bulk<float, &RandomKernels::normal_f32>());
}
void fill_normal(const RandomKey& key, Rows rows, double* out) {
  fill("fill_normal", key, rows, out, Bulk<double, &RandomKernels::normal_f64>());
}

void fill_randint(const RandomKey& key, Rows rows, int64_t low, int64_t high, int64_t* out) {
  check_range(low, high);
  fill("fill_randint", key, rows, out, Integers64{low, uint64_t(high) - uint64_t(low)});
}

std::vector<int64_t> permutation(const RandomKey& key, int64_t n) {
  check_draw("permutation", key, {1, n}, 2);
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) order[size_t(i)] = i;
  const uint64_t bits = key.philox_key();
  for (int64_t i = n - 1; i > 0; --i) {
    const PhiloxBlock drawn =
        philox(philox_counter(key.step, key.sample0, uint64_t(i) / 2), uint32_t(bits), uint32_t(bits >> 32));
    const int lane = i % 2 * 2;
    const uint64_t other = bounded(wide(drawn.word[lane], drawn.word[lane + 1]), uint64_t(i) + 1);
    std::swap(order[size_t(i)], order[other]);
  }
  return order;
}

}  // namespace plumb
