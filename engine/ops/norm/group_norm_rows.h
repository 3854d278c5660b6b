#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/isa/silu_rows.h"
#include "engine/ops/norm/group_norm_sums.h"
#include "engine/simd.h"

// Internal: group norm of a tile of pixels and channels. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

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
