#pragma once

#include <cstdint>

namespace plumb {

/// Most Philox blocks drawn at once; enough to make a call cheap, and few enough for the first-level cache.
inline constexpr int kDrawBlocks = 256;
/// Blocks are drawn in groups of as many, whatever the width of a register.
inline constexpr int kDrawGroup = 16;

/// The words of up to kDrawBlocks blocks, structure of arrays.
struct DrawnWords {
  int count;  // a multiple of kDrawGroup
  alignas(64) uint32_t a[kDrawBlocks], b[kDrawBlocks], c[kDrawBlocks], d[kDrawBlocks];
};

/// Consecutive blocks of an array of samples: block, block + 1, … of `sample`, after blocks_per_row of them those of
/// the next sample. Numbers as in philox_counter (engine/random/random_key.h).
struct PhiloxRun {
  uint64_t key, step;
  uint64_t sample, block;
  int64_t blocks_per_row;
};

/// Random numbers in bulk. draw() fills words.count blocks, of which the `_f32` distributions make 4 elements each and
/// the `_f64` ones 2.
struct RandomKernels {
  void (*draw)(const PhiloxRun& run, DrawnWords& words);
  void (*uniform_f32)(const DrawnWords& words, float* out);
  void (*uniform_f64)(const DrawnWords& words, double* out);
  void (*normal_f32)(const DrawnWords& words, float* out);
  void (*normal_f64)(const DrawnWords& words, double* out);
  /// mt19937: the next 624 words of the state; then what it hands out of `count` of them.
  void (*twist)(uint32_t* state);
  void (*temper)(const uint32_t* state, int64_t count, uint32_t* out);
  /// torch's uniforms and normals (engine/random/generator.h) of `count` floats; normals in place, of uniforms on
  /// [0, 1), with count a multiple of 16.
  void (*torch_uniform)(const uint32_t* words, int64_t count, float low, float width, float* out);
  void (*torch_normal)(float* x, int64_t count, float mean, float deviation);
};

}  // namespace plumb
