#include "engine/ops/conv/patches.h"

#include <algorithm>

namespace plumb {

template <class T>
void Patches::gather(const T* pictures, int64_t begin, int64_t end, T* out) const {
  const int64_t height = vertical.limit, width = horizontal.limit;
  // Taps of a row that are neighbours in memory are copied together: a picture's three channels are too few for a call.
  const bool runs = pitch == channels && horizontal.spread == 1 && horizontal.divisor == 1;
  int64_t j = begin % rows.width, i = begin / rows.width % rows.height, n = begin / rows.width / rows.height;
  for (int64_t r = begin; r < end; ++r) {
    const T* picture = pictures + n * height * width * pitch + first;
    for (int64_t u = 0; u < kernel.height; ++u) {
      const int64_t row = vertical.at(i, u);
      if (row < 0) {
        out = std::fill_n(out, kernel.width * channels, T(0));
        continue;
      }
      if (runs) {
        const int64_t start = j * horizontal.step - horizontal.offset;
        const int64_t inside = std::clamp<int64_t>(-start, 0, kernel.width);
        const int64_t outside = std::clamp<int64_t>(width - start, inside, kernel.width);
        out = std::fill_n(out, inside * channels, T(0));
        if (outside > inside)
          out = std::copy_n(picture + (row * width + start + inside) * pitch, (outside - inside) * channels, out);
        out = std::fill_n(out, (kernel.width - outside) * channels, T(0));
        continue;
      }
      for (int64_t v = 0; v < kernel.width; ++v) {
        const int64_t column = horizontal.at(j, v);
        out = column < 0 ? std::fill_n(out, channels, T(0))
                         : std::copy_n(picture + (row * width + column) * pitch, channels, out);
      }
    }
    if (++j < rows.width) continue;
    j = 0;
    if (++i < rows.height) continue;
    i = 0;
    ++n;
  }
}

template void Patches::gather(const float*, int64_t, int64_t, float*) const;
template void Patches::gather(const double*, int64_t, int64_t, double*) const;

Patches forward_patches(const ConvGeometry& g, int64_t group) {
  const Conv2dOptions& o = g.options;
  return {.rows = g.output,
          .kernel = g.kernel,
          .vertical = {o.stride.height, o.padding.height, o.dilation.height, 1, g.input.height},
          .horizontal = {o.stride.width, o.padding.width, o.dilation.width, 1, g.input.width},
          .pitch = g.in_channels,
          .channels = g.group_in(),
          .first = group * g.group_in()};
}

Patches backward_patches(const ConvGeometry& g, int64_t group) {
  const Conv2dOptions& o = g.options;
  return {.rows = g.input,
          .kernel = g.kernel,
          .vertical = {1, -o.padding.height, -o.dilation.height, o.stride.height, g.output.height},
          .horizontal = {1, -o.padding.width, -o.dilation.width, o.stride.width, g.output.width},
          .pitch = g.out_channels,
          .channels = g.group_out(),
          .first = group * g.group_out()};
}

}  // namespace plumb
