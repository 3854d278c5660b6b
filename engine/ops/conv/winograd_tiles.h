#pragma once

#include <vector>

#include "engine/ceil_div.h"
#include "engine/isa/kernels.h"
#include "engine/ops/conv/conv2d_kernels.h"

// What the three directions of Winograd's convolution share: how a picture is cut into tiles, and where the transformed
// values of tiles lie.

namespace plumb {

/// Side of a tile of results, and of the samples behind it (3x3 kernels); transformed values of a tile.
constexpr int kWinogradResults = 4, kWinogradSamples = 6, kWinogradValues = 36;

/// Pictures [N, height, width, channels] cut into tiles of 4x4, row by row; the last ones of a row or column may hang
/// over the edge. Around every picture lie zeros.
class TiledPictures {
 public:
  TiledPictures(int64_t batch, const Size2d& tiled, const Size2d& size, int64_t channels)
      : size_(size),
        channels_(channels),
        down_(ceil_div(tiled.height, int64_t(kWinogradResults))),
        across_(ceil_div(tiled.width, int64_t(kWinogradResults))),
        count_(batch * down_ * across_),
        spare_(size_t(channels)) {}

  int64_t channels() const { return channels_; }
  int64_t count() const { return count_; }

  /// samples[u * Side + v] = value (u, v) of tile t moved up and left by `shift`; a row of zeros outside the picture.
  template <int Side>
  void samples(const float* pictures, int64_t t, const Size2d& shift, const float** samples) const {
    place<Side>(t, shift,
                [&](int k, int64_t pixel) { samples[k] = pixel < 0 ? spare_.data() : pictures + pixel * channels_; });
  }
  /// Where results go: from `first_channel` on, and to `nowhere` outside the picture.
  void results(float* pictures, int64_t t, int64_t first_channel, float* nowhere, float** results) const {
    place<kWinogradResults>(t, {}, [&](int k, int64_t pixel) {
      results[k] = pixel < 0 ? nowhere : pictures + pixel * channels_ + first_channel;
    });
  }

 private:
  /// put(k, pixel) for the Side x Side values of tile t; -1 outside the picture.
  template <int Side, class F>
  void place(int64_t t, const Size2d& shift, F put) const {
    const int64_t left = t % across_ * kWinogradResults - shift.width;
    const int64_t top = t / across_ % down_ * kWinogradResults - shift.height;
    const int64_t first = (t / across_ / down_ * size_.height + top) * size_.width + left;
    // Most tiles lie within the picture.
    if (top >= 0 && left >= 0 && top + Side <= size_.height && left + Side <= size_.width) {
      for (int u = 0; u < Side; ++u)
        for (int v = 0; v < Side; ++v) put(u * Side + v, first + u * size_.width + v);
      return;
    }
    for (int u = 0; u < Side; ++u)
      for (int v = 0; v < Side; ++v) {
        const int64_t row = top + u, column = left + v;
        const bool inside = row >= 0 && row < size_.height && column >= 0 && column < size_.width;
        put(u * Side + v, inside ? first + u * size_.width + v : -1);
      }
  }

  Size2d size_;
  int64_t channels_, down_, across_, count_;
  std::vector<float> spare_;  // zeros
};

/// Layout of 36 matrices [rows, columns]: their steps are odd numbers of cache lines, or all 36 values of a tile would
/// fall into one set of the first-level cache; so would the rows of a tile of the product when they are long.
struct WinogradLayout {
  static constexpr int64_t kLine = 16;    // floats
  static constexpr int64_t kShort = 128;  // rows that follow each other closely: less memory is touched

  WinogradLayout(int64_t rows, int64_t columns)
      : row(columns <= kShort ? ceil_div(columns, int64_t(8)) * 8 : odd_lines(columns)), step(odd_lines(rows * row)) {}
  /// Rows without gaps.
  static WinogradLayout dense(int64_t rows, int64_t columns) {
    WinogradLayout layout(rows, columns);
    layout.row = columns;
    layout.step = odd_lines(rows * columns);
    return layout;
  }
  static int64_t odd_lines(int64_t elements) { return (ceil_div(elements, kLine) | 1) * kLine; }
  /// With room for a micro-kernel to read a whole row of a tile at the end.
  int64_t elements() const { return kWinogradValues * step + 4 * kLine; }

  int64_t row, step;  // elements from a row to the next, from a matrix to the next
};

}  // namespace plumb
