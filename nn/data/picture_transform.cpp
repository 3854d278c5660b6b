#include "nn/data/picture_transform.h"

#include <array>
#include <cmath>

#include "engine/error.h"
#include "engine/io/read_image.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Every byte as a number in [-1, 1].
const std::array<float, 256>& normalized() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> values;
    for (int i = 0; i < 256; ++i) values[size_t(i)] = (float(i) / 255.0f - 0.5f) / 0.5f;
    return values;
  }();
  return table;
}

/// Where a middle of `inside` begins in `outside`.
int64_t middle(int64_t outside, int64_t inside) { return int64_t(std::nearbyint(double(outside - inside) / 2)); }

}  // namespace

void PictureTransform::check() const {
  require<ValueError>(resolution >= 1 && resolution <= 16384, "pictures: resolution must be in [1, 16384] ({})",
                      resolution);
  require<ValueError>(channels == 1 || channels == 3, "pictures: channels must be 1 or 3 ({})", channels);
}

Image resized(Image image, const PictureTransform& transform) {
  image = transform.channels == 1 ? to_grey(std::move(image)) : to_rgb(std::move(image));
  const int64_t side = transform.resolution;
  const bool is_tall = image.width <= image.height;
  const int64_t shorter = is_tall ? image.width : image.height, longer = is_tall ? image.height : image.width;
  const int64_t other = side * longer / shorter;
  return is_tall ? resize_image(image, side, other, transform.filter)
                 : resize_image(image, other, side, transform.filter);
}

PictureCrop choose_crop(const Image& image, const PictureTransform& transform, const RandomKey& key) {
  const int64_t side = transform.resolution;
  require<ShapeError>(image.width >= side && image.height >= side, "crop: picture must have {} x {} pixels ({} x {})",
                      side, side, image.width, image.height);
  PictureCrop crop{middle(image.height, side), middle(image.width, side), false};
  if (!transform.center_crop) {
    fill_randint(key.fork("top"), {1, 1}, 0, image.height - side + 1, &crop.top);
    fill_randint(key.fork("left"), {1, 1}, 0, image.width - side + 1, &crop.left);
  }
  crop.flip = choose_flip(transform, key);
  return crop;
}

bool choose_flip(const PictureTransform& transform, const RandomKey& key) {
  if (!transform.random_flip) return false;
  int64_t flip = 0;
  fill_randint(key.fork("flip"), {1, 1}, 0, 2, &flip);
  return flip == 1;
}

void to_floats(const Image& image, const PictureTransform& transform, const PictureCrop& crop, float* out) {
  const int64_t side = transform.resolution, channels = image.channels;
  require<ShapeError>(channels == transform.channels && crop.top >= 0 && crop.left >= 0 &&
                          crop.top + side <= image.height && crop.left + side <= image.width,
                      "crop: square must lie inside the picture ({} x {} x {})", image.width, image.height, channels);
  const std::array<float, 256>& values = normalized();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < side; ++y) {
      const uint8_t* row = &image.pixels[size_t(((crop.top + y) * image.width + crop.left) * channels + c)];
      for (int64_t x = 0; x < side; ++x) *out++ = values[row[(crop.flip ? side - 1 - x : x) * channels]];
    }
}

}  // namespace plumb
