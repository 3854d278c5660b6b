#pragma once

#include <cstdint>
#include <vector>

#include "engine/random/random_key.h"

namespace plumb {

/// A dense [rows, row_elements] array to be filled. Row r is the sample key.sample0 + r: what it gets depends on that
/// global index and never on where the batch was cut or how many rows were asked for.
struct Rows {
  int64_t count = 0;
  int64_t elements = 0;  // in each
};

/// All fills write rows.count * rows.elements values to `out`, row-major, and read nothing.
/// Throws ValueError when a size is negative or key.step, a sample or an element is past RandomKey's limits
/// (2^44 steps and samples; 2^42 floats, 2^41 doubles or integers a row).

/// Uniform on [0, 1): 24 bits (float; four elements a Philox block) or 53 bits (double; two).
void fill_uniform(const RandomKey& key, Rows rows, float* out);
void fill_uniform(const RandomKey& key, Rows rows, double* out);

/// Standard normal by Box and Muller (distributions.h): four floats or two doubles a block.
void fill_normal(const RandomKey& key, Rows rows, float* out);
void fill_normal(const RandomKey& key, Rows rows, double* out);

/// Integers of [low, high), two a block: high half of a 64 by 64 bit product, relative bias (high - low) / 2^64.
/// Also throws ValueError when low >= high.
void fill_randint(const RandomKey& key, Rows rows, int64_t low, int64_t high, int64_t* out);

/// A uniformly random order of 0 … n-1 (Fisher and Yates, from the end; the draws are row `sample0` of the key).
/// Throws ValueError when n is negative.
std::vector<int64_t> permutation(const RandomKey& key, int64_t n);

}  // namespace plumb
