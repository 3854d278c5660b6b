#include "engine/io/exif.h"

#include <algorithm>

namespace plumb {
namespace {

/// Integers of either byte order; past the end everything is 0.
struct TiffReader {
  std::span<const uint8_t> bytes;
  bool big_endian;

  uint32_t read(uint64_t at, int count) const {
    if (at + uint64_t(count) > bytes.size()) return 0;
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | bytes[at + uint64_t(big_endian ? i : count - 1 - i)];
    return value;
  }
};

}  // namespace

int exif_orientation(std::span<const uint8_t> exif) {
  constexpr uint32_t kTag = 274, kShort = 3;
  if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
  const TiffReader tiff{exif, exif[0] == 'M'};
  if (tiff.read(2, 2) != 42) return 1;
  const uint64_t directory = tiff.read(4, 4);
  const uint64_t entries = tiff.read(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * i;
    if (tiff.read(entry, 2) != kTag) continue;
    const uint32_t value = tiff.read(entry + 8, 2);
    return tiff.read(entry + 2, 2) == kShort && value >= 1 && value <= 8 ? int(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swaps = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t width = image.width, height = image.height, channels = image.channels;
  Image turned{swaps ? height : width, swaps ? width : height, channels, {}};
  turned.pixels.resize(image.pixels.size());
  uint8_t* out = turned.pixels.data();
  for (int64_t y = 0; y < turned.height; ++y)
    for (int64_t x = 0; x < turned.width; ++x, out += channels) {
      const int64_t column = swaps ? y : x, row = swaps ? x : y;
      const int64_t from_x = from_right ? width - 1 - column : column;
      const int64_t from_y = from_below ? height - 1 - row : row;
      std::copy_n(&image.pixels[size_t((from_y * width + from_x) * channels)], channels, out);
    }
  return turned;
}

}  // namespace plumb
