#include "apps/common/picture_image.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Copies a picture into a grid of as many channels or more; grey becomes a colour.
void place(const Image& picture, int64_t left, int64_t top, Image& grid) {
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < picture.width; ++x)
      for (int64_t c = 0; c < grid.channels; ++c) {
        const int64_t from = (y * picture.width + x) * picture.channels + std::min(c, picture.channels - 1);
        const int64_t to = ((top + y) * grid.width + left + x) * grid.channels + c;
        grid.pixels[size_t(to)] = picture.pixels[size_t(from)];
      }
}

}  // namespace

Image picture_of(const Tensor& pictures, int64_t row) {
  const bool fits = pictures.rank() == 4 && (pictures.size(1) == 1 || pictures.size(1) == 3);
  require<ShapeError>(fits && row >= 0 && row < pictures.size(0),
                      "picture: pixels must be [N, 1 or 3, H, W] with a row {}; {}", row, pictures);
  const Tensor one = select(pictures, 0, row).to(kCpu).to(DType::f32).contiguous();
  const int64_t channels = one.size(0), height = one.size(1), width = one.size(2);
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  image.pixels.resize(size_t(one.numel()));
  const float* values = one.data<float>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < height * width; ++i) {
      const float unit = std::clamp(values[c * height * width + i] * 0.5f + 0.5f, 0.0f, 1.0f);
      image.pixels[size_t(i * channels + c)] = uint8_t(std::nearbyint(unit * 255));
    }
  return image;
}

Tensor pixels_of(const Image& image, int64_t channels) {
  const int64_t area = image.width * image.height;
  Tensor pixels = empty({1, channels, image.height, image.width});
  float* out = pixels.mutable_data<float>();
  for (int64_t i = 0; i < area; ++i) {
    const uint8_t* at = image.pixels.data() + i * image.channels;
    const auto unit = [&](int64_t c) { return float(at[std::min(c, image.channels - 1)]) / 255.0f; };
    for (int64_t c = 0; c < channels; ++c)
      out[c * area + i] = 2 * (channels == 1 ? (unit(0) + unit(1) + unit(2)) / 3 : unit(c)) - 1;
  }
  return pixels;
}

Image grid_of(const std::vector<Image>& pictures, const GridOptions& options) {
  const int64_t count = int64_t(pictures.size()), gap = options.gap;
  require<ValueError>(count > 0, "grid: there must be pictures (0)");
  const int64_t square = int64_t(std::ceil(std::sqrt(double(count))));
  const int64_t columns = options.columns > 0 ? std::min(options.columns, count) : square;
  int64_t width = 1, height = 1, channels = 1;
  for (const Image& picture : pictures) {
    width = std::max(width, picture.width), height = std::max(height, picture.height);
    channels = std::max(channels, picture.channels);
  }
  const int64_t rows = (count + columns - 1) / columns;
  Image grid{.width = columns * (width + gap) - gap,
             .height = rows * (height + gap) - gap,
             .channels = channels,
             .pixels = {}};
  require<ValueError>(grid.width * grid.height <= kMaxPixels, "grid: {} pictures of {} x {} pixels are too many", count,
                      width, height);
  grid.pixels.assign(size_t(grid.width * grid.height * channels), options.ground);
  for (int64_t n = 0; n < count; ++n)
    place(pictures[size_t(n)], n % columns * (width + gap), n / columns * (height + gap), grid);
  return grid;
}

}  // namespace plumb
