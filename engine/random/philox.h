#pragma once

#include <cstdint>

#include "engine/host_device.h"

namespace plumb {

/// One output of Philox: four words of 32 random bits.
struct PhiloxBlock {
  uint32_t word[4];
};

inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxFactor0 = 0xD2511F53u, kPhiloxFactor1 = 0xCD9E8D57u;
/// Steps of the key from round to round, Weyl sequences: golden ratio and sqrt(3) - 1.
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;

/// Philox 4x32-10: a bijection of the 128-bit counter for each 64-bit key.
///   Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// Pure; the same integers on CPU and CUDA. Known answers: tests/engine/random/philox_test.cpp.
static PLUMB_HOST_DEVICE PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  uint32_t a = counter.word[0], b = counter.word[1], c = counter.word[2], d = counter.word[3];
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t left = uint64_t(a) * kPhiloxFactor0;
    const uint64_t right = uint64_t(c) * kPhiloxFactor1;
    a = uint32_t(right >> 32) ^ b ^ key0;
    c = uint32_t(left >> 32) ^ d ^ key1;
    b = uint32_t(right);
    d = uint32_t(left);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return {{a, b, c, d}};
}

}  // namespace plumb
