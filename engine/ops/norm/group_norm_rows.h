#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/isa/silu_rows.h"
#include "engine/math.h"
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

template <class A>
[[gnu::always_inline]] inline A affine_of(A x, A mean, A scale, A shift) {
  return (x - mean) * scale + shift;
}

/// z of a tile with the channels innermost.
template <class A>
[[gnu::always_inline]] inline void affine_rows(const PixelTile& tile, PixelArray<const A> x,
                                               const ChannelAffine<A>& affine, PixelArray<A> z) {
  with_width(tile.channels, [=, &tile]<int64_t kWidth>() {
    const int64_t width = kWidth > 0 ? kWidth : tile.channels;
    // Arrays that the compiler knows nothing else writes to: they stay in registers from row to row.
    alignas(64) A mean[kGroupNormChannels], scale[kGroupNormChannels], shift[kGroupNormChannels];
    for (int64_t c = 0; c < width; ++c)
      mean[c] = affine.mean[c], scale[c] = affine.scale[c], shift[c] = affine.shift[c];
    for (int64_t p = 0; p < tile.pixels; ++p) {
      const A* from = x.data + p * x.step;
      vector_loop(width, [&, from, to = z.data + p * z.step](int64_t c) {
        to[c] = affine_of(from[c], mean[c], scale[c], shift[c]);
      });
    }
  });
}

/// Elements that are activated together: a row of 24 channels would leave most of what silu computes at a time empty.
/// They stay in the first-level cache.
constexpr int64_t kActivated = 2048;

/// Calls use(pixel, part) for parts of a tile with the channels innermost.
template <class Use>
[[gnu::always_inline]] inline void for_each_part(const PixelTile& tile, Use use) {
  const int64_t most = kActivated / tile.channels;
  for (int64_t p = 0; p < tile.pixels; p += most)
    use(p, PixelTile{tile.pixels - p < most ? tile.pixels - p : most, tile.channels, false});
}

template <class A>
[[gnu::always_inline]] inline PixelArray<A> from_pixel(PixelArray<A> x, int64_t pixel) {
  return {x.data + pixel * x.step, x.step};
}

template <class A>
[[gnu::always_inline]] inline void copy_rows(const PixelTile& tile, PixelArray<const A> from, PixelArray<A> to) {
  for (int64_t p = 0; p < tile.pixels; ++p)
    vector_loop(tile.channels,
                [row = from.data + p * from.step, out = to.data + p * to.step](int64_t c) { out[c] = row[c]; });
}

/// Calls activate(elements, z, up) on rows of a tile with the channels innermost, and leaves in `out` what it makes of
/// z there: pixel by pixel where a row fills what silu computes at a time, otherwise many rows together, by way of a
/// copy where they do not follow each other. `up` may be null.
template <class A, class Activate>
[[gnu::always_inline]] inline void activate_rows(const PixelTile& tile, PixelArray<const A> x,
                                                 const ChannelAffine<A>& affine, PixelArray<const A> up,
                                                 PixelArray<A> out, Activate activate) {
  const int64_t width = tile.channels;
  if (width == kWholeTile) {
    affine_rows(tile, x, affine, out);
    for (int64_t p = 0; p < tile.pixels; ++p)
      activate(width, out.data + p * out.step, up.data ? up.data + p * up.step : nullptr);
    return;
  }
  const bool dense = out.step == width && (!up.data || up.step == width);
  alignas(64) A z[kActivated], gathered[kActivated];
  for_each_part(tile, [&](int64_t pixel, const PixelTile& part) {
    const PixelArray<A> to = from_pixel(out, pixel);
    const PixelArray<const A> from = up.data ? from_pixel(up, pixel) : up;
    affine_rows(part, from_pixel(x, pixel), affine, dense ? to : PixelArray<A>{z, width});
    if (dense) return activate(part.pixels * width, to.data, from.data);
    if (up.data) copy_rows<A>(part, from, {gathered, width});
    activate(part.pixels * width, z, gathered);
    copy_rows<A>(part, {z, width}, to);
  });
}

/// y = z, or silu(z).
template <class A>
[[gnu::flatten]] void group_norm_normalise(const PixelTile& tile, PixelArray<const A> x, const ChannelAffine<A>& affine,
                                           PixelArray<A> y) {
  if (!tile.planes) {
    if (!affine.silu) return affine_rows(tile, x, affine, y);
    return activate_rows<A>(tile, x, affine, {}, y, [](int64_t n, A* z, const A*) { silu_row(n, z, z); });
  }
  for (int64_t c = 0; c < tile.channels; ++c) {
    const A m = affine.mean[c], a = affine.scale[c], b = affine.shift[c];
    const A* from = x.data + c * x.step;
    A* to = y.data + c * y.step;
    vector_loop(tile.pixels, [=](int64_t i) { to[i] = affine_of(from[i], m, a, b); });
    if (affine.silu) silu_row(tile.pixels, to, to);
  }
}

/// g = up * silu'(z), the gradient of z.
template <class A>
[[gnu::flatten]] void group_norm_silu_grad(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                                           const ChannelAffine<A>& affine, PixelArray<A> g) {
  if (!tile.planes) {
    return activate_rows<A>(tile, x, affine, up, g,
                            [](int64_t n, A* z, const A* from) { silu_backward_row(n, z, from, z); });
  }
  for (int64_t c = 0; c < tile.channels; ++c) {
    const A m = affine.mean[c], a = affine.scale[c], b = affine.shift[c];
    const A *row = x.data + c * x.step, *from = up.data + c * up.step;
    A* to = g.data + c * g.step;
    vector_loop(tile.pixels, [=](int64_t i) { to[i] = affine_of(row[i], m, a, b); });
    silu_backward_row(tile.pixels, to, from, to);
  }
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

/// grad_x = g * scale - (offset + (x - mean) * slope), g the gradient of z. g and grad_x may be the same.
template <class A>
[[gnu::flatten]] void group_norm_grad(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> g,
                                      const ChannelAffine<A>& affine, const ChannelLines<A>& lines,
                                      PixelArray<A> grad_x) {
  if (tile.planes) {
    for (int64_t c = 0; c < tile.channels; ++c) {
      const A m = affine.mean[c], a = affine.scale[c], o = lines.offset[c], s = lines.slope[c];
      const A *row = x.data + c * x.step, *up = g.data + c * g.step;
      vector_loop(tile.pixels,
                  [=, to = grad_x.data + c * grad_x.step](int64_t i) { to[i] = up[i] * a - (o + (row[i] - m) * s); });
    }
    return;
  }
  with_width(tile.channels, [=, &tile]<int64_t kWidth>() {
    const int64_t width = kWidth > 0 ? kWidth : tile.channels;
    alignas(64) A mean[kGroupNormChannels], scale[kGroupNormChannels], offset[kGroupNormChannels],
        slope[kGroupNormChannels];
    for (int64_t c = 0; c < width; ++c) {
      mean[c] = affine.mean[c], scale[c] = affine.scale[c];
      offset[c] = lines.offset[c], slope[c] = lines.slope[c];
    }
    for (int64_t p = 0; p < tile.pixels; ++p) {
      const A *row = x.data + p * x.step, *up = g.data + p * g.step;
      vector_loop(width, [&, row, up, to = grad_x.data + p * grad_x.step](int64_t c) {
        to[c] = up[c] * scale[c] - (offset[c] + (row[c] - mean[c]) * slope[c]);
      });
    }
  });
}

template <class A>
constexpr GroupNormRows<A> make_group_norm_rows() {
  return {group_norm_moments<A>, group_norm_normalise<A>, group_norm_silu_grad<A>, group_norm_grad_sums<A>,
          group_norm_grad<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
