#pragma once

#include <cstdint>
#include <string_view>

#include "engine/random/philox.h"

namespace plumb {

/// The name of a family of random draws. A draw is a pure function of (seed, stream, step, sample, element), so that
/// resuming, splitting a batch, recomputing, ranks, devices and thread counts cannot change it. There is no state.
///
///   const RandomKey key{.seed = 42};
///   fill_normal(key.fork("noise").at_step(step).at_sample(first_sample), ...);
///
/// Layout of the Philox call (see philox_counter):
///   key (64 bits)      mix64(seed) ^ stream. For one stream all seeds differ, for one seed all streams differ.
///   counter word 0     block, low 32 bits            block  = element / elements per block, < 2^40
///   counter word 1     sample, low 32 bits           sample = sample0 + row,                < 2^44
///   counter word 2     step, low 32 bits             step                                   < 2^44
///   counter word 3     block bits 32-39 | sample bits 32-43 << 8 | step bits 32-43 << 20
/// so within one key no two (step, sample, block) share a counter; the limits are checked where draws are made.
/// What is drawn (uniform, normal, integer) is not part of the counter: two draws of one key see the same bits. Fork.
struct RandomKey {
  uint64_t seed = 0;
  uint64_t stream = 0;   // 0 is the root; fork() makes others
  uint64_t step = 0;     // below kMaxStep
  uint64_t sample0 = 0;  // global index, in the effective batch, of the first row drawn; below kMaxSample

  static constexpr uint64_t kMaxStep = uint64_t(1) << 44;
  static constexpr uint64_t kMaxSample = uint64_t(1) << 44;
  static constexpr uint64_t kMaxBlock = uint64_t(1) << 40;

  /// An independent stream of the same seed, step and sample. The new stream is mix64(stream ^ fnv1a64(name)), stable
  /// for ever; forks nest and their order matters. An empty name is a name like any other.
  constexpr RandomKey fork(std::string_view name) const;
  constexpr RandomKey at_step(uint64_t new_step) const { return {seed, stream, new_step, sample0}; }
  constexpr RandomKey at_sample(uint64_t new_sample0) const { return {seed, stream, step, new_sample0}; }

  /// The 64-bit Philox key.
  constexpr uint64_t philox_key() const;

  bool operator==(const RandomKey&) const = default;
};

/// A bijection of 64-bit words with full avalanche: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// FNV-1a, 64 bit.
constexpr uint64_t fnv1a64(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (char c : text) hash = (hash ^ uint8_t(c)) * 0x100000001B3u;
  return hash;
}

constexpr RandomKey RandomKey::fork(std::string_view name) const {
  return {seed, mix64(stream ^ fnv1a64(name)), step, sample0};
}

constexpr uint64_t RandomKey::philox_key() const { return mix64(seed) ^ stream; }

/// Packs the counter as documented at RandomKey. The three must be below their limits.
PLUMB_HOST_DEVICE PhiloxBlock philox_counter(uint64_t step, uint64_t sample, uint64_t block) {
  const uint64_t high = (block >> 32) | (sample >> 32) << 8 | (step >> 32) << 20;
  return {{uint32_t(block), uint32_t(sample), uint32_t(step), uint32_t(high)}};
}

}  // namespace plumb
