#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/math.h"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: group norm of a tile of pixels and channels. Compiled once an instruction set (engine/isa/kernels.h).
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
  const A* first = x.data;
  row_sums<A, 1>(tile, {means}, [=](int64_t p, A* const* sums) {
    const A* row = x.data + p * x.step;
    vector_loop(channels, [row, first, sum = sums[0]](int64_t c) { sum[c] += row[c] - first[c]; });
  });
  vector_loop(channels, [=](int64_t c) { means[c] = first[c] + means[c] / A(pixels); });
  row_sums<A, 1>(tile, {squares}, [=](int64_t p, A* const* sums) {
    const A* row = x.data + p * x.step;
    vector_loop(channels, [row, means, sum = sums[0]](int64_t c) {
      const A centred = row[c] - means[c];
      sum[c] += centred * centred;
    });
  });
}

template <bool kSilu, class A>
[[gnu::always_inline]] inline A affine_of(A x, A mean, A scale, A shift) {
  const A z = (x - mean) * scale + shift;
  if constexpr (kSilu) return Silu::forward(z);
  return z;
}

template <bool kSilu, class A>
[[gnu::flatten]] void group_norm_normalise_as(const PixelTile& tile, PixelArray<const A> x,
                                              const ChannelAffine<A>& affine, PixelArray<A> y) {
  const A *mean = affine.mean, *scale = affine.scale, *shift = affine.shift;
  for (int64_t line = 0; line < (tile.planes ? tile.channels : tile.pixels); ++line) {
    const A* from = x.data + line * x.step;
    A* to = y.data + line * y.step;
    if (tile.planes)
      vector_loop(tile.pixels, [=, m = mean[line], a = scale[line], b = shift[line]](int64_t i) {
        to[i] = affine_of<kSilu>(from[i], m, a, b);
      });
    else
      vector_loop(tile.channels, [=](int64_t c) { to[c] = affine_of<kSilu>(from[c], mean[c], scale[c], shift[c]); });
  }
}

template <class A>
void group_norm_normalise(const PixelTile& tile, PixelArray<const A> x, const ChannelAffine<A>& affine,
                          PixelArray<A> y) {
  affine.silu ? group_norm_normalise_as<true>(tile, x, affine, y) : group_norm_normalise_as<false>(tile, x, affine, y);
}

/// The gradient of z.
template <bool kSilu, class A>
[[gnu::always_inline]] inline A grad_of_affine(A up, A x, A mean, A scale, A shift) {
  if constexpr (kSilu) return Silu::backward(up, (x - mean) * scale + shift);
  return up;
}

/// Of every channel the sums of g * (x - mean) and of g, the gradient of z.
template <bool kSilu, class A>
[[gnu::flatten]] void group_norm_grad_sums_as(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                                              const ChannelAffine<A>& affine, A* projected, A* level) {
  const A *mean = affine.mean, *scale = affine.scale, *shift = affine.shift;
  const int64_t channels = tile.channels, pixels = tile.pixels;
  if (tile.planes) {
    A buffer[kSilu ? kGroupNormPixels : 1];
    for (int64_t c = 0; c < channels; ++c) {
      const A *row = x.data + c * x.step, *g = up.data + c * up.step;
      const A m = mean[c];
      if constexpr (kSilu) {
        vector_loop(pixels, [=, a = scale[c], b = shift[c], out = &buffer[0]](int64_t i) {
          out[i] = grad_of_affine<true>(g[i], row[i], m, a, b);
        });
        g = buffer;
      }
      level[c] = lane_sum<A>(pixels, [g](auto& into, int64_t i) { read<A>(into, g + i); });
      projected[c] = lane_sum<A>(pixels, [g, row, m](auto& into, int64_t i) {
        __typeof__(into + into) centred;
        read<A>(centred, row + i);
        read<A>(into, g + i);
        centred -= m;
        into *= centred;
      });
    }
    return;
  }
  row_sums<A, 2>(tile, {projected, level}, [=](int64_t p, A* const* sums) {
    const A *row = x.data + p * x.step, *g = up.data + p * up.step;
    vector_loop(channels, [=, of_projected = sums[0], of_level = sums[1]](int64_t c) {
      const A gradient = grad_of_affine<kSilu>(g[c], row[c], mean[c], scale[c], shift[c]);
      of_projected[c] += gradient * (row[c] - mean[c]);
      of_level[c] += gradient;
    });
  });
}

template <class A>
void group_norm_grad_sums(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                          const ChannelAffine<A>& affine, A* projected, A* level) {
  affine.silu ? group_norm_grad_sums_as<true>(tile, x, up, affine, projected, level)
              : group_norm_grad_sums_as<false>(tile, x, up, affine, projected, level);
}

/// grad_x = g * scale - (offset + (x - mean) * slope), g the gradient of z.
template <bool kSilu, class A>
[[gnu::flatten]] void group_norm_grad_as(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                                         const ChannelAffine<A>& affine, const ChannelLines<A>& lines,
                                         PixelArray<A> grad_x) {
  const A *mean = affine.mean, *scale = affine.scale, *shift = affine.shift;
  const A *offset = lines.offset, *slope = lines.slope;
  for (int64_t line = 0; line < (tile.planes ? tile.channels : tile.pixels); ++line) {
    const A *row = x.data + line * x.step, *g = up.data + line * up.step;
    A* to = grad_x.data + line * grad_x.step;
    if (tile.planes)
      vector_loop(tile.pixels,
                  [=, m = mean[line], a = scale[line], b = shift[line], o = offset[line], s = slope[line]](int64_t i) {
                    to[i] = grad_of_affine<kSilu>(g[i], row[i], m, a, b) * a - (o + (row[i] - m) * s);
                  });
    else
      vector_loop(tile.channels, [=](int64_t c) {
        to[c] = grad_of_affine<kSilu>(g[c], row[c], mean[c], scale[c], shift[c]) * scale[c] -
                (offset[c] + (row[c] - mean[c]) * slope[c]);
      });
  }
}

template <class A>
void group_norm_grad(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                     const ChannelAffine<A>& affine, const ChannelLines<A>& lines, PixelArray<A> grad_x) {
  affine.silu ? group_norm_grad_as<true>(tile, x, up, affine, lines, grad_x)
              : group_norm_grad_as<false>(tile, x, up, affine, lines, grad_x);
}

template <class A>
constexpr GroupNormRows<A> make_group_norm_rows() {
  return {group_norm_moments<A>, group_norm_normalise<A>, group_norm_grad_sums<A>, group_norm_grad<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
