#include "apps/common/picture_grid.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Image picture_of(const Tensor& pictures, int64_t row) {
  require<ShapeError>(pictures.rank() == 4 && (pictures.size(1) == 1 || pictures.size(1) == 3),
                      "picture: pixels must be [N, 1 or 3, H, W]; {}", pictures);
  const Tensor one = select(pictures.to(kCpu).to(DType::f32), 0, row).contiguous();
  const int64_t channels = one.size(0), height = one.size(1), width = one.size(2);
  Image image{width, height, channels, std::vector<uint8_t>(size_t(one.numel()))};
  const float* values = one.data<float>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < height * width; ++i) {
      const float value = values[c * height * width + i] / 2 + 0.5f;
      image.pixels[size_t(i * channels + c)] = uint8_t(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
    }
  return image;
}

Image picture_grid(const Tensor& pictures, int64_t columns, int64_t gap) {
  const int64_t count = pictures.size(0), rows = (count + columns - 1) / columns;
  const int64_t used = std::min(columns, count);
  Image grid;
  for (int64_t i = 0; i < count; ++i) {
    const Image image = picture_of(pictures, i);
    if (i == 0) {
      grid = {used * (image.width + gap) - gap, rows * (image.height + gap) - gap, image.channels, {}};
      grid.pixels.resize(size_t(grid.width * grid.height * grid.channels), 255);
    }
    const int64_t left = i % columns * (image.width + gap), top = i / columns * (image.height + gap);
    for (int64_t y = 0; y < image.height; ++y)
      std::copy_n(&image.pixels[size_t(y * image.width * image.channels)], image.width * image.channels,
                  &grid.pixels[size_t(((top + y) * grid.width + left) * image.channels)]);
  }
  return grid;
}

}  // namespace plumb
