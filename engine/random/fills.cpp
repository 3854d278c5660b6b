#include "engine/random/fills.h"

#include <algorithm>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random/distributions.h"
#include "engine/require.h"

// The blocks of all rows are numbered through: flat block f is block f % per_row of row f / per_row. Chunks of them are
// drawn as structure-of-arrays, so that the loops below vectorise even for rows of two elements (points); a row whose
// size is no multiple of the block throws the rest of its last block away.

namespace plumb {
namespace {

constexpr int kChunk = 64;
constexpr int64_t kGrain = 128 * kChunk;  // blocks a task: about 100 us of work

struct Words {
  alignas(64) uint32_t a[kChunk], b[kChunk], c[kChunk], d[kChunk];
};

inline uint64_t wide(uint32_t high, uint32_t low) { return uint64_t(high) << 32 | low; }

struct UniformF32 {
  using Type = float;
  static constexpr int kPerBlock = 4;
  void operator()(const Words& w, float* out) const {
    for (int i = 0; i < kChunk; ++i) {
      out[4 * i] = uniform_f32(w.a[i]);
      out[4 * i + 1] = uniform_f32(w.b[i]);
      out[4 * i + 2] = uniform_f32(w.c[i]);
      out[4 * i + 3] = uniform_f32(w.d[i]);
    }
  }
};

struct UniformF64 {
  using Type = double;
  static constexpr int kPerBlock = 2;
  void operator()(const Words& w, double* out) const {
    for (int i = 0; i < kChunk; ++i) {
      out[2 * i] = uniform_f64(wide(w.a[i], w.b[i]));
      out[2 * i + 1] = uniform_f64(wide(w.c[i], w.d[i]));
    }
  }
};

struct NormalF32 {
  using Type = float;
  static constexpr int kPerBlock = 4;
  void operator()(const Words& w, float* out) const {
    for (int i = 0; i < kChunk; ++i) {
      const NormalPairF32 first = normal_pair_f32(w.a[i], w.b[i]), second = normal_pair_f32(w.c[i], w.d[i]);
      out[4 * i] = first.cosine;
      out[4 * i + 1] = first.sine;
      out[4 * i + 2] = second.cosine;
      out[4 * i + 3] = second.sine;
    }
  }
};

struct NormalF64 {
  using Type = double;
  static constexpr int kPerBlock = 2;
  void operator()(const Words& w, double* out) const {
    for (int i = 0; i < kChunk; ++i) {
      const NormalPairF64 pair = normal_pair_f64(wide(w.a[i], w.b[i]), wide(w.c[i], w.d[i]));
      out[2 * i] = pair.cosine;
      out[2 * i + 1] = pair.sine;
    }
  }
};

struct Integers64 {
  using Type = int64_t;
  static constexpr int kPerBlock = 2;
  int64_t low;
  uint64_t range;
  void operator()(const Words& w, int64_t* out) const {
    for (int i = 0; i < kChunk; ++i) {
      out[2 * i] = int64_t(uint64_t(low) + bounded(wide(w.a[i], w.b[i]), range));
      out[2 * i + 1] = int64_t(uint64_t(low) + bounded(wide(w.c[i], w.d[i]), range));
    }
  }
};

void draw_chunk(const RandomKey& key, int64_t flat_block, int64_t blocks_per_row, Words& words) {
  int64_t row = flat_block / blocks_per_row, block = flat_block % blocks_per_row;
  for (int i = 0; i < kChunk; ++i) {
    const PhiloxBlock counter = philox_counter(key.step, key.sample0 + uint64_t(row), uint64_t(block));
    words.a[i] = counter.word[0];
    words.b[i] = counter.word[1];
    words.c[i] = counter.word[2];
    words.d[i] = counter.word[3];
    if (++block == blocks_per_row) block = 0, ++row;
  }
  const uint64_t bits = key.philox_key();
  for (int i = 0; i < kChunk; ++i) {
    const PhiloxBlock drawn =
        philox({{words.a[i], words.b[i], words.c[i], words.d[i]}}, uint32_t(bits), uint32_t(bits >> 32));
    words.a[i] = drawn.word[0];
    words.b[i] = drawn.word[1];
    words.c[i] = drawn.word[2];
    words.d[i] = drawn.word[3];
  }
}

void check(const char* op, const RandomKey& key, Rows rows, int64_t per_block) {
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

// Flat blocks [begin, end) to their places in `out`.
template <class Distribution>
void fill_blocks(const RandomKey& key, Rows rows, int64_t begin, int64_t end, typename Distribution::Type* out,
                 const Distribution& distribution) {
  constexpr int64_t kPerBlock = Distribution::kPerBlock;
  const int64_t blocks_per_row = (rows.elements + kPerBlock - 1) / kPerBlock;
  const int64_t row = begin / blocks_per_row, element = begin % blocks_per_row * kPerBlock;
  int64_t left_in_row = rows.elements - element;
  out += row * rows.elements + element;
  Words words;
  typename Distribution::Type drawn[kChunk * kPerBlock];
  for (int64_t first = begin; first < end; first += kChunk) {
    const int64_t chunk_end = std::min(end, first + kChunk);
    draw_chunk(key, first, blocks_per_row, words);
    distribution(words, drawn);
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
          const Distribution& distribution = {}) {
  constexpr int64_t kPerBlock = Distribution::kPerBlock;
  check(op, key, rows, kPerBlock);
  if (rows.elements == 0) return;
  const int64_t blocks = (rows.elements + kPerBlock - 1) / kPerBlock * rows.count;
  parallel_for(blocks, kGrain,
               [&](int64_t begin, int64_t end) { fill_blocks(key, rows, begin, end, out, distribution); });
}

}  // namespace

void fill_uniform(const RandomKey& key, Rows rows, float* out) { fill<UniformF32>("fill_uniform", key, rows, out); }
void fill_uniform(const RandomKey& key, Rows rows, double* out) { fill<UniformF64>("fill_uniform", key, rows, out); }
void fill_normal(const RandomKey& key, Rows rows, float* out) { fill<NormalF32>("fill_normal", key, rows, out); }
void fill_normal(const RandomKey& key, Rows rows, double* out) { fill<NormalF64>("fill_normal", key, rows, out); }

void fill_randint(const RandomKey& key, Rows rows, int64_t low, int64_t high, int64_t* out) {
  require<ValueError>(low < high, "fill_randint: low must be below high (low {}, high {})", low, high);
  fill("fill_randint", key, rows, out, Integers64{low, uint64_t(high) - uint64_t(low)});
}

std::vector<int64_t> permutation(const RandomKey& key, int64_t n) {
  check("permutation", key, {1, n}, 2);
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
