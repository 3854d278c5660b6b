#include "engine/ops/copy/transposing_copy.h"

#include <algorithm>

#include "engine/ceil_div.h"

namespace plumb {
namespace {

constexpr int64_t kTile = 16;
constexpr int64_t kLeast = 4;  // of both dimensions, or there is nothing to gain

/// The dimension that is dense in the source, -1 when there is none.
int64_t dense_in_source(const StridedLoop<2>& loop) {
  for (int64_t d = 0; d + 1 < loop.shape.rank(); ++d)
    if (loop.strides[1][d] == 1) return d;
  return -1;
}

/// Where a matrix of the walk starts in both operands: `index` counts the dimensions but `across` and the last.
struct Offsets {
  int64_t target = 0, source = 0;
};
Offsets offsets_of(const StridedLoop<2>& loop, int64_t across, int64_t index) {
  Offsets at;
  for (int64_t d = loop.shape.rank() - 2; d >= 0; --d) {
    if (d == across) continue;
    at.target += index % loop.shape[d] * loop.strides[0][d];
    at.source += index % loop.shape[d] * loop.strides[1][d];
    index /= loop.shape[d];
  }
  return at;
}

template <class T>
void run(const StridedLoop<2>& loop, int64_t across, const T* source, T* target) {
  const int64_t inner = loop.shape.back(), size = loop.shape[across];
  const int64_t step = loop.strides[0][across], source_step = loop.strides[1].back();
  const int64_t tiles = ceil_div(size, kTile), matrices = numel(loop.shape) / (inner * size);
  const int64_t grain = std::max<int64_t>(1, kElementGrain / (inner * kTile));
  parallel_for(matrices * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const Offsets at = offsets_of(loop, across, task / tiles);
      const int64_t first = task % tiles * kTile, last = std::min(size, first + kTile);
      for (int64_t i = 0; i < inner; i += kTile) {
        const int64_t stop = std::min(inner, i + kTile);
        for (int64_t s = first; s < last; ++s) {
          T* to = target + at.target + s * step;
          const T* from = source + at.source + s;
          for (int64_t j = i; j < stop; ++j) to[j] = from[j * source_step];
        }
      }
    }
  });
}

}  // namespace

bool transposing_copy(const StridedLoop<2>& loop, const void* source, void* target, int64_t bytes) {
  if (loop.strides[0].back() != 1 || loop.strides[1].back() == 1 || loop.shape.back() < kLeast) return false;
  const int64_t across = dense_in_source(loop);
  if (across < 0 || loop.shape[across] < kLeast) return false;
  auto as = [&]<class T>(T) { run(loop, across, static_cast<const T*>(source), static_cast<T*>(target)); };
  if (bytes == 1) as(uint8_t());
  if (bytes == 2) as(uint16_t());
  if (bytes == 4) as(uint32_t());
  if (bytes == 8) as(uint64_t());
  return true;
}

}  // namespace plumb
