#pragma once

#include <cstdint>

#include "engine/isa/random_kernels.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/random/distributions.h"
#include "engine/random/philox.h"
#include "engine/simd.h"

// Internal: Philox and its distributions in bulk. Compiled once an instruction set
// (engine/isa/kernels.h); philox() and normal_pair_f32() are the plain versions, with the same bits.
//
// Philox keeps a word in 64 bits of a register: the multiplication reads the lower half of each and ignores the rest,
// so a round is two multiplications, two shifts and four exclusive ors with no shuffle. (From philox() in a loop
// GCC 12 makes 64 by 64 bit multiplications, at a fifth of the speed.) The distributions are plain loops, which the
// compiler turns into vector code: everything in them is one instruction, square root and division included.

namespace plumb::PLUMB_ISA {
namespace {

using Word = Register<uint64_t>;

/// The 64-bit products of the lower halves.
[[gnu::always_inline]] inline void multiply_low(Word& into, const Word& factor) {
#if defined(__clang__) || !defined(__x86_64__)
  into = (into & 0xFFFFFFFFu) * (factor & 0xFFFFFFFFu);
#else
  typedef int32_t Halves __attribute__((vector_size(kRegisterBytes)));
  const Halves x = __builtin_bit_cast(Halves, into), y = __builtin_bit_cast(Halves, factor);
#if defined(__AVX512F__)
  typedef long long Products __attribute__((vector_size(64)));
  into = __builtin_bit_cast(Word, __builtin_ia32_pmuludq512_mask(x, y, Products{}, 0xFF));
#elif defined(__AVX2__)
  into = __builtin_bit_cast(Word, __builtin_ia32_pmuludq256(x, y));
#else
  into = __builtin_bit_cast(Word, __builtin_ia32_pmuludq128(x, y));
#endif
#endif
}

/// Counters of the blocks of a run.
struct Counters {
  alignas(64) uint64_t block[kDrawBlocks], sample[kDrawBlocks];
};

inline void count_blocks(const PhiloxRun& run, int count, Counters& counters) {
  if (run.block + uint64_t(count) <= uint64_t(run.blocks_per_row)) {
    for (int i = 0; i < count; ++i) counters.block[i] = run.block + uint64_t(i), counters.sample[i] = run.sample;
  } else if (run.blocks_per_row == 1) {
    for (int i = 0; i < count; ++i) counters.block[i] = 0, counters.sample[i] = run.sample + uint64_t(i);
  } else {
    uint64_t block = run.block, sample = run.sample;
    for (int i = 0; i < count; ++i) {
      counters.block[i] = block;
      counters.sample[i] = sample;
      if (++block == uint64_t(run.blocks_per_row)) block = 0, ++sample;
    }
  }
}

/// One register of each word. Two or four such sets are on their way at a time, since a round waits for its
/// multiplications.
struct State {
  Word a, b, c, d;
};

[[gnu::always_inline]] inline void philox_round(State& s, uint64_t key0, uint64_t key1) {
  Word first = s.a, second = s.c;
  multiply_low(first, Word{} + kPhiloxFactor0);
  multiply_low(second, Word{} + kPhiloxFactor1);
  s.a = (second >> 32) ^ s.b ^ key0;
  s.c = (first >> 32) ^ s.d ^ key1;
  s.b = second;
  s.d = first;
}

[[gnu::always_inline]] inline void keep_low(uint32_t* out, const Word& words) {
  typedef uint32_t Narrow __attribute__((vector_size(kRegisterBytes / 2)));
  typedef uint32_t Unaligned __attribute__((vector_size(kRegisterBytes / 2), aligned(4), may_alias));
  *reinterpret_cast<Unaligned*>(out) = __builtin_convertvector(words, Narrow);
}

[[gnu::always_inline]] inline void start(State& s, const Counters& counters, int at, uint64_t step) {
  read<uint64_t>(s.a, counters.block + at);
  read<uint64_t>(s.b, counters.sample + at);
  s.c = Word{} + step;
  s.d = (s.a >> 32) | (s.b >> 32) << 8 | (s.c >> 32) << 20;
}

[[gnu::always_inline]] inline void keep(DrawnWords& words, int at, const State& s) {
  keep_low(words.a + at, s.a);
  keep_low(words.b + at, s.b);
  keep_low(words.c + at, s.c);
  keep_low(words.d + at, s.d);
}

[[gnu::flatten]] void draw_blocks(const PhiloxRun& run, DrawnWords& words) {
  constexpr int kLanes = kRegisterBytes / 8;
  Counters counters;
  count_blocks(run, words.count, counters);
  uint64_t keys[2][kPhiloxRounds];
  for (uint32_t round = 0; round < kPhiloxRounds; ++round) {
    keys[0][round] = uint32_t(run.key) + round * kPhiloxWeyl0;
    keys[1][round] = uint32_t(run.key >> 32) + round * kPhiloxWeyl1;
  }
  int i = 0;
  if constexpr (kRegisterBytes == 64) {
    for (; i + 4 * kLanes <= words.count; i += 4 * kLanes) {
      State first, second, third, fourth;
      start(first, counters, i, run.step);
      start(second, counters, i + kLanes, run.step);
      start(third, counters, i + 2 * kLanes, run.step);
      start(fourth, counters, i + 3 * kLanes, run.step);
#pragma GCC unroll 10
      for (int round = 0; round < kPhiloxRounds; ++round) {
        philox_round(first, keys[0][round], keys[1][round]);
        philox_round(second, keys[0][round], keys[1][round]);
        philox_round(third, keys[0][round], keys[1][round]);
        philox_round(fourth, keys[0][round], keys[1][round]);
      }
      keep(words, i, first);
      keep(words, i + kLanes, second);
      keep(words, i + 2 * kLanes, third);
      keep(words, i + 3 * kLanes, fourth);
    }
  }
  for (; i < words.count; i += 2 * kLanes) {
    State first, second;
    start(first, counters, i, run.step);
    start(second, counters, i + kLanes, run.step);
#pragma GCC unroll 10
    for (int round = 0; round < kPhiloxRounds; ++round) {
      philox_round(first, keys[0][round], keys[1][round]);
      philox_round(second, keys[0][round], keys[1][round]);
    }
    keep(words, i, first);
    keep(words, i + kLanes, second);
  }
}

[[gnu::always_inline]] inline uint64_t wide(uint32_t high, uint32_t low) { return uint64_t(high) << 32 | low; }

[[gnu::flatten]] void uniform_f32_row(const DrawnWords& w, float* out) {
  vector_loop(w.count, [&w, out](int64_t i) {
    out[4 * i] = uniform_f32(w.a[i]);
    out[4 * i + 1] = uniform_f32(w.b[i]);
    out[4 * i + 2] = uniform_f32(w.c[i]);
    out[4 * i + 3] = uniform_f32(w.d[i]);
  });
}

[[gnu::flatten]] void uniform_f64_row(const DrawnWords& w, double* out) {
  vector_loop(w.count, [&w, out](int64_t i) {
    out[2 * i] = uniform_f64(wide(w.a[i], w.b[i]));
    out[2 * i + 1] = uniform_f64(wide(w.c[i], w.d[i]));
  });
}

[[gnu::flatten]] void normal_f32_row(const DrawnWords& w, float* out) {
  vector_loop(w.count, [&w, out](int64_t i) {
    const NormalPairF32 first = normal_pair_f32(w.a[i], w.b[i]), second = normal_pair_f32(w.c[i], w.d[i]);
    out[4 * i] = first.cosine;
    out[4 * i + 1] = first.sine;
    out[4 * i + 2] = second.cosine;
    out[4 * i + 3] = second.sine;
  });
}

[[gnu::flatten]] void normal_f64_row(const DrawnWords& w, double* out) {
  vector_loop(w.count, [&w, out](int64_t i) {
    const NormalPairF64 pair = normal_pair_f64(wide(w.a[i], w.b[i]), wide(w.c[i], w.d[i]));
    out[2 * i] = pair.cosine;
    out[2 * i + 1] = pair.sine;
  });
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
