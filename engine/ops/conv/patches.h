#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

namespace plumb {

/// Which samples of one axis a row of patches reads: position i of the rows' axis with tap u reads
///   (i * step - offset + u * spread) / divisor,   if that divides and lies in [0, limit)
/// Forward: step = stride, offset = padding, spread = dilation, divisor = 1. Backward to x, where a row is a position
/// of x and taps look up gradients: step = 1, offset = -padding, spread = -dilation, divisor = stride.
struct PatchAxis {
  int64_t step, offset, spread, divisor, limit;

  /// -1 outside.
  int64_t at(int64_t i, int64_t tap) const {
    const int64_t place = i * step - offset + tap * spread;
    if (place < 0) return -1;
    if (divisor == 1) return place < limit ? place : -1;  // a division a tap would cost as much as the copy
    if (place % divisor != 0) return -1;
    const int64_t sample = place / divisor;
    return sample < limit ? sample : -1;
  }
};

/// A matrix of patches that is made block by block: row r is a position (n, i, j) of [N, rows.height, rows.width], its
/// columns the taps (u, v) with `channels` values each, read from pictures [N, samples.height, samples.width, pitch].
struct Patches {
  Size2d rows, kernel;
  PatchAxis vertical, horizontal;
  int64_t pitch;     // channels of a picture
  int64_t channels;  // of them taken, from `first` on
  int64_t first;

  int64_t columns() const { return kernel.height * kernel.width * channels; }
  /// A patch is one sample, rows and samples correspond: the picture itself is the matrix.
  bool is_picture() const {
    const auto plain = [](const PatchAxis& a, int64_t count) {
      return a.step == 1 && a.offset == 0 && a.divisor == 1 && a.limit == count;
    };
    return kernel == Size2d{1, 1} && plain(vertical, rows.height) && plain(horizontal, rows.width);
  }

  /// Rows [begin, end) into `out`, [end - begin, columns()].
  template <class T>
  void gather(const T* pictures, int64_t begin, int64_t end, T* out) const;
};

extern template void Patches::gather(const float*, int64_t, int64_t, float*) const;
extern template void Patches::gather(const double*, int64_t, int64_t, double*) const;

/// Patches of x behind each position of y, for one group.
Patches forward_patches(const ConvGeometry& geometry, int64_t group);
/// Patches of the gradient of y that each position of x has gone into, for one group.
Patches backward_patches(const ConvGeometry& geometry, int64_t group);

}  // namespace plumb
