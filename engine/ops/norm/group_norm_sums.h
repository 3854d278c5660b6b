#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: the sums of group norm over the pixels of a tile. Compiled once an instruction set (engine/isa/kernels.h).
//
// Both memory orders give the same bits: a sum over pixels is taken in lanes, pixel p in lane p modulo their number,
// the lanes are folded as a tree, and the pixels left over are added one by one. In planes a lane is one of a register,
// with the channels innermost it is a row of sums.

namespace plumb::PLUMB_ISA {
namespace {

template <class A>
inline constexpr int64_t kPixelLanes = 64 / int64_t(sizeof(A));

/// Sum of map(0) … map(n - 1) in lanes. `map(into, i)` as in fold_mapped.
template <class A, class Map>
[[gnu::always_inline]] inline A lane_sum(int64_t n, Map map) {
  auto add = [](auto& into, const auto& value) { into += value; };
  Lanes<A> sums = {}, next;
  int64_t i = 0;
  for (; i + kPixelLanes<A> <= n; i += kPixelLanes<A>) {
    map_lanes(next, i, map);
    fold_lanes(sums, next, add);
  }
  A result = fold_across(sums, add);
  for (A last; i < n; ++i) {
    map(last, i);
    result += last;
  }
  return result;
}

/// Such sums of a whole row of channels, kTerms side by side: term(p, rows) adds what pixel p gives to rows[0],
/// rows[1].
template <class A, int kTerms, class Term>
[[gnu::always_inline]] inline void row_sums(const PixelTile& tile, A* const (&into)[kTerms], Term term) {
  constexpr int64_t kLanes = kPixelLanes<A>, kWidth = kGroupNormChannels;
  const int64_t channels = tile.channels, whole = tile.pixels / kLanes * kLanes;
  alignas(64) A sums[kTerms][kLanes * kWidth];
  for (int t = 0; t < kTerms; ++t) vector_loop(kLanes * kWidth, [row = &sums[t][0]](int64_t i) { row[i] = A(0); });
  for (int64_t p = 0; p < whole; ++p) {
    A* rows[kTerms];
    for (int t = 0; t < kTerms; ++t) rows[t] = sums[t] + p % kLanes * kWidth;
    term(p, rows);
  }
  for (int t = 0; t < kTerms; ++t)
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      vector_loop(half * kWidth, [row = &sums[t][0], half](int64_t i) { row[i] += row[i + half * kWidth]; });
  A* rows[kTerms];
  for (int t = 0; t < kTerms; ++t) rows[t] = sums[t];
  for (int64_t p = whole; p < tile.pixels; ++p) term(p, rows);
  for (int t = 0; t < kTerms; ++t)
    vector_loop(channels, [row = &sums[t][0], out = into[t]](int64_t c) { out[c] = row[c]; });
}

/// Channels of most tiles of a wide picture: four registers, as many as silu computes at a time.
inline constexpr int64_t kWholeTile = 64;

/// Calls run<channels>(), with a constant for the width of a whole tile, else run<0>().
template <class F>
[[gnu::always_inline]] inline void with_width(int64_t channels, F run) {
  if (channels == kWholeTile)
    run.template operator()<kWholeTile>();
  else
    run.template operator()<0>();
}

/// Mean of every channel and sum of the squares about it. The mean is summed about the first pixel, so that a level far
/// from zero costs no digits.
template <class A>
[[gnu::flatten]] void group_norm_moments(const PixelTile& tile, PixelArray<const A> x, A* means, A* squares) {
  const int64_t channels = tile.channels, pixels = tile.pixels;
  if (tile.planes) {
    for (int64_t c = 0; c < channels; ++c) {
      const A* row = x.data + c * x.step;
      const A first = row[0];
      const A mean = first + lane_sum<A>(pixels, [row, first](auto& into, int64_t i) {
                               read<A>(into, row + i);
                               into -= first;
                             }) / A(pixels);
      means[c] = mean;
      squares[c] = lane_sum<A>(pixels, [row, mean](auto& into, int64_t i) {
        read<A>(into, row + i);
        into -= mean;
        into *= into;
      });
    }
    return;
  }
  with_width(channels, [=, &tile]<int64_t kWidth>() {
    const int64_t width = kWidth > 0 ? kWidth : channels;
    alignas(64) A first[kGroupNormChannels], mean[kGroupNormChannels];
    vector_loop(width, [&first, from = x.data](int64_t c) { first[c] = from[c]; });
    row_sums<A, 1>(tile, {means}, [=, &first](int64_t p, A* const* sums) {
      const A* row = x.data + p * x.step;
      vector_loop(width, [row, &first, sum = sums[0]](int64_t c) { sum[c] += row[c] - first[c]; });
    });
    vector_loop(width, [=, &first, &mean](int64_t c) { means[c] = mean[c] = first[c] + means[c] / A(pixels); });
    row_sums<A, 1>(tile, {squares}, [=, &mean](int64_t p, A* const* sums) {
      const A* row = x.data + p * x.step;
      vector_loop(width, [row, &mean, sum = sums[0]](int64_t c) {
        const A centred = row[c] - mean[c];
        sum[c] += centred * centred;
      });
    });
  });
}

/// Of every channel the sums of g * (x - mean) and of g, the gradient of z.
template <class A>
[[gnu::flatten]] void group_norm_grad_sums(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> g,
                                           const A* mean, A* projected, A* level) {
  if (tile.planes) {
    for (int64_t c = 0; c < tile.channels; ++c) {
      const A *row = x.data + c * x.step, *up = g.data + c * g.step;
      const A m = mean[c];
      level[c] = lane_sum<A>(tile.pixels, [up](auto& into, int64_t i) { read<A>(into, up + i); });
      projected[c] = lane_sum<A>(tile.pixels, [up, row, m](auto& into, int64_t i) {
        __typeof__(into + into) centred;
        read<A>(centred, row + i);
        read<A>(into, up + i);
        centred -= m;
        into *= centred;
      });
    }
    return;
  }
  with_width(tile.channels, [=, &tile]<int64_t kWidth>() {
    const int64_t width = kWidth > 0 ? kWidth : tile.channels;
    alignas(64) A means[kGroupNormChannels];
    vector_loop(width, [=, &means](int64_t c) { means[c] = mean[c]; });
    row_sums<A, 2>(tile, {projected, level}, [=, &means](int64_t p, A* const* sums) {
      const A *row = x.data + p * x.step, *up = g.data + p * g.step;
      vector_loop(width, [row, up, &means, of_projected = sums[0], of_level = sums[1]](int64_t c) {
        of_projected[c] += up[c] * (row[c] - means[c]);
        of_level[c] += up[c];
      });
    });
  });
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
