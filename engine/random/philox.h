#pragma once

#include <cstdint>

#include "engine/host_device.h"

namespace plumb {

/// One output of Philox: four words of 32 random bits.
struct PhiloxBlock {
  uint32_t word[4];
};

/// Philox 4x32-10: a bijection of the 128-bit counter for each 64-bit key.
///   Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// Pure; the same integers on CPU and CUDA. Known answers: tests/engine/random/philox_test.cpp.
PLUMB_HOST_DEVICE PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  uint32_t a = counter.word[0], b = counter.word[1], c = counter.word[2], d = counter.word[3];
#pragma GCC unroll 10  // the loops of many blocks around this one vectorise only then
  for (int round = 0; round < 10; ++round) {
    const uint64_t left = uint64_t(a) * 0xD2511F53u;
    const uint64_t right = uint64_t(c) * 0xCD9E8D57u;
    a = uint32_t(right >> 32) ^ b ^ key0;
    c = uint32_t(left >> 32) ^ d ^ key1;
    b = uint32_t(right);
    d = uint32_t(left);
    key0 += 0x9E3779B9u;  // Weyl sequences: golden ratio and sqrt(3) - 1
    key1 += 0xBB67AE85u;
  }
  return {{a, b, c, d}};
}

}  // namespace plumb
