#pragma once

#include <cstdint>

#include "engine/random/distributions.h"
#include "engine/simd.h"

// Internal: the bulk loops of Generator (engine/random/generator.h). Compiled once an instruction set
// (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

constexpr int kTwisterWords = 624, kTwisterOffset = 397;

[[gnu::always_inline]] inline uint32_t twisted(uint32_t first, uint32_t second) {
  const uint32_t joined = (first & 0x80000000u) | (second & 0x7FFFFFFFu);
  return (joined >> 1) ^ ((0u - (second & 1u)) & 0x9908B0DFu);
}

[[gnu::flatten]] void twist_row(uint32_t* words) {
  constexpr int kSplit = kTwisterWords - kTwisterOffset;
  // Nothing that an iteration reads has been written before: what lies ahead, and words made by the loop above.
  vector_loop(kSplit, [=](int64_t i) { words[i] = words[i + kTwisterOffset] ^ twisted(words[i], words[i + 1]); });
  for (int begin = kSplit; begin < kTwisterWords - 1; begin += kSplit) {
    const int count = kTwisterWords - 1 - begin < kSplit ? kTwisterWords - 1 - begin : kSplit;
    uint32_t* part = words + begin;
    vector_loop(count, [=](int64_t i) { part[i] = part[i - kSplit] ^ twisted(part[i], part[i + 1]); });
  }
  words[kTwisterWords - 1] = words[kTwisterOffset - 1] ^ twisted(words[kTwisterWords - 1], words[0]);
}

[[gnu::flatten]] void temper_row(const uint32_t* words, int64_t count, uint32_t* out) {
  vector_loop(count, [=](int64_t i) {
    uint32_t word = words[i];
    word ^= word >> 11;
    word ^= (word << 7) & 0x9D2C5680u;
    word ^= (word << 15) & 0xEFC60000u;
    out[i] = word ^ (word >> 18);
  });
}

/// 24 random bits, as torch masks them: the low ones. torch's build fuses the multiplication and the sum.
[[gnu::flatten]] void torch_uniform_row(const uint32_t* words, int64_t count, float low, float width, float* out) {
  vector_loop(count, [=](int64_t i) {
    const float u = float(int32_t(words[i] & 0xFFFFFFu)) * 0x1p-24f;
    out[i] = __builtin_fmaf(u, width, low);
  });
}

/// Uniforms to standard normals. Kept apart from the scaling: the two in one loop are not turned into vector code.
[[gnu::flatten, gnu::noinline]] void normal_pairs(float* cosines, float* sines, int64_t count) {
  vector_loop(count, [=](int64_t i) {
    const float radius = math::sqrt(-2.0f * detail::log_f32(1.0f - cosines[i]));
    const NormalPairF32 pair = polar_f32(radius, uint32_t(int32_t(sines[i] * 0x1p24f)) << 8);
    cosines[i] = pair.cosine;
    sines[i] = pair.sine;
  });
}

/// Of every 16 uniforms the first eight give radii and the last eight angles. Several such blocks are handled together
/// so that a loop over all their pairs fills the widest register.
[[gnu::flatten]] void torch_normal_row(float* x, int64_t count, float mean, float deviation) {
  constexpr int64_t kTogether = 16;
  for (int64_t begin = 0; begin < count; begin += 16 * kTogether) {
    const int64_t blocks = count - begin < 16 * kTogether ? (count - begin) / 16 : kTogether;
    float* part = x + begin;
    alignas(64) float first[8 * kTogether] = {}, second[8 * kTogether] = {};
    for (int64_t k = 0; k < blocks; ++k)
      for (int j = 0; j < 8; ++j) first[8 * k + j] = part[16 * k + j], second[8 * k + j] = part[16 * k + j + 8];
    normal_pairs(first, second, (blocks + 1) / 2 * 16);
    for (int64_t k = 0; k < blocks; ++k)
      for (int j = 0; j < 8; ++j) {
        part[16 * k + j] = first[8 * k + j] * deviation + mean;
        part[16 * k + j + 8] = second[8 * k + j] * deviation + mean;
      }
  }
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
