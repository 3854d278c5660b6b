#pragma once

#include <cstdint>

#include "engine/cuda/walk.cuh"

namespace plumb {

/// out = x[index * step + …]: elements, or as much of a row as one load moves, are copied as words of their size.
template <class Word>
struct Pick {
  const Word* x;
  const int64_t* index;
  Word* out;
  int64_t step;
  __device__ void operator()(const Places<3>& p) const { out[p.at[0]] = x[p.at[2] + index[p.at[1]] * step]; }
};

/// 16 bytes.
struct alignas(16) WideWord {
  uint64_t half[2];
};

/// Calls f.operator()<Word>() with a word of `bytes` bytes: 1, 2, 4, 8, 16.
template <class F>
void visit_word(int64_t bytes, F&& f) {
  if (bytes == 1) f.template operator()<uint8_t>();
  if (bytes == 2) f.template operator()<uint16_t>();
  if (bytes == 4) f.template operator()<uint32_t>();
  if (bytes == 8) f.template operator()<uint64_t>();
  if (bytes == 16) f.template operator()<WideWord>();
}

}  // namespace plumb
