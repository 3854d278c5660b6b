#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/isa/kernels.h"
#include "engine/random/distributions.h"
#include "engine/random/random_key.h"

using namespace plumb;

namespace {

constexpr const char* kSets[] = {"portable", "avx2", "avx512"};

/// Calls body(kernels) for every set this machine has.
template <class F>
void for_each_set(F&& body) {
  for (const char* name : kSets) {
    const Kernels* variant = find_kernels(name);
    if (!variant) {
      MESSAGE("skipped: this processor or build lacks " << name);
      continue;
    }
    CAPTURE(name);
    body(variant->random);
  }
}

/// What philox() gives for block `i` of a run.
PhiloxBlock plain_block(const PhiloxRun& run, uint64_t i) {
  const uint64_t block = run.block + i, per_row = uint64_t(run.blocks_per_row);
  const PhiloxBlock counter = philox_counter(run.step, run.sample + block / per_row, block % per_row);
  return philox(counter, uint32_t(run.key), uint32_t(run.key >> 32));
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

uint64_t wide(uint32_t high, uint32_t low) { return uint64_t(high) << 32 | low; }

/// Row after row of the plain functions.
struct Plain {
  explicit Plain(const DrawnWords& w) {
    for (int i = 0; i < w.count; ++i) {
      for (uint32_t word : {w.a[i], w.b[i], w.c[i], w.d[i]}) uniform_f32.push_back(plumb::uniform_f32(word));
      const uint64_t first = wide(w.a[i], w.b[i]), second = wide(w.c[i], w.d[i]);
      uniform_f64.insert(uniform_f64.end(), {plumb::uniform_f64(first), plumb::uniform_f64(second)});
      const NormalPairF32 x = normal_pair_f32(w.a[i], w.b[i]), y = normal_pair_f32(w.c[i], w.d[i]);
      normal_f32.insert(normal_f32.end(), {x.cosine, x.sine, y.cosine, y.sine});
      const NormalPairF64 z = normal_pair_f64(first, second);
      normal_f64.insert(normal_f64.end(), {z.cosine, z.sine});
    }
  }
  std::vector<float> uniform_f32, normal_f32;
  std::vector<double> uniform_f64, normal_f64;
};

template <class T>
std::vector<T> row_of(void (*row)(const DrawnWords&, T*), const DrawnWords& words) {
  std::vector<T> out(size_t(words.count) * 16 / sizeof(T));
  row(words, out.data());
  return out;
}

}  // namespace

TEST_CASE("random kernels: bulk draws are the plain Philox, for every length, carry and row size") {
  const uint64_t kCarry = (uint64_t(1) << 32) - 5, key = 0x0123456789ABCDEFu;
  for_each_set([&](const RandomKernels& random) {
    for (const PhiloxRun& run :
         {PhiloxRun{key, 7, 11, 0, 1000000}, PhiloxRun{key, 7, 11, kCarry, 1 << 30},
          PhiloxRun{~key, (uint64_t(3) << 40) + 1, kCarry, 0, 1}, PhiloxRun{key, 0, kCarry, 2, 3},
          PhiloxRun{key, 1, 0, 90, 100}, PhiloxRun{key, 1, 0, 6, 7}})
      for (int count = kDrawGroup; count <= kDrawBlocks; count += kDrawGroup) {
        DrawnWords words;
        words.count = count;
        // A block past the limit of a row is no valid counter; the run that carries must not meet one.
        PhiloxRun valid = run;
        if (valid.block == kCarry) valid.blocks_per_row = int64_t(1) << 40;
        random.draw(valid, words);
        CAPTURE(run.blocks_per_row);
        CAPTURE(count);
        bool same = true;
        for (int i = 0; i < count; ++i) {
          const PhiloxBlock plain = plain_block(valid, uint64_t(i));
          same &= plain.word[0] == words.a[i] && plain.word[1] == words.b[i] && plain.word[2] == words.c[i] &&
                  plain.word[3] == words.d[i];
        }
        CHECK(same);
      }
  });
}

TEST_CASE("random kernels: bulk distributions are the plain ones bit for bit") {
  DrawnWords words;
  words.count = 144;
  find_kernels("portable")->random.draw({42, 1, 2, 3, 1 << 20}, words);
  // Radii and angles at the ends of their ranges, and at the edges of the quarters.
  const uint32_t hard[] = {0, 1, 0x1FFFFFFF, 0x20000000, 0x5FFFFFFF, 0x60000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
  for (int i = 0; i < 81; ++i) words.a[i] = words.d[i] = hard[i / 9], words.b[i] = words.c[i] = hard[i % 9];
  const Plain plain(words);
  for_each_set([&](const RandomKernels& random) {
    CHECK(same_bits(row_of(random.uniform_f32, words), plain.uniform_f32));
    CHECK(same_bits(row_of(random.uniform_f64, words), plain.uniform_f64));
    CHECK(same_bits(row_of(random.normal_f32, words), plain.normal_f32));
    CHECK(same_bits(row_of(random.normal_f64, words), plain.normal_f64));
  });
}

TEST_CASE("random kernels: mt19937 in bulk is the recurrence of Matsumoto and Nishimura, and torch's normals of it") {
  std::vector<uint32_t> start(624);
  start[0] = 5489;
  for (uint32_t i = 1; i < 624; ++i) start[i] = 1812433253u * (start[i - 1] ^ (start[i - 1] >> 30)) + i;
  std::vector<uint32_t> expected = start;
  for (size_t i = 0; i < 624; ++i) {
    const uint32_t joined = (expected[i] & 0x80000000u) | (expected[(i + 1) % 624] & 0x7FFFFFFFu);
    expected[i] = expected[(i + 397) % 624] ^ (joined >> 1) ^ (joined & 1 ? 0x9908B0DFu : 0);
  }
  for_each_set([&](const RandomKernels& random) {
    std::vector<uint32_t> state = start, out(623);
    random.twist(state.data());
    CHECK(same_bits(state, expected));
    random.temper(state.data(), 623, out.data());
    CHECK(out[0] == 3499211612u);  // the published first output of seed 5489
    for (int64_t count : {16, 32, 48, 240, 256, 272, 608}) {
      CAPTURE(count);
      std::vector<float> x(static_cast<size_t>(count));
      random.torch_uniform(out.data(), count, 0, 1, x.data());
      std::vector<float> plain = x;
      for (int64_t i = 0; i < count; ++i) REQUIRE(plain[size_t(i)] == float(out[size_t(i)] & 0xFFFFFF) / 16777216.0f);
      for (size_t i = 0; i < x.size(); i += i % 8 == 7 ? 9 : 1) {
        const float radius = std::sqrt(-2.0f * detail::log_f32(1.0f - plain[i]));
        const NormalPairF32 pair = polar_f32(radius, uint32_t(plain[i + 8] * 0x1p24f) << 8);
        plain[i] = pair.cosine * 1.5f + 0.25f;
        plain[i + 8] = pair.sine * 1.5f + 0.25f;
      }
      random.torch_normal(x.data(), count, 0.25f, 1.5f);
      CHECK(same_bits(x, plain));
    }
  });
}
