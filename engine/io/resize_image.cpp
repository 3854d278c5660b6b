#include "engine/io/resize_image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "engine/error.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr int kPrecision = 22;  // bits behind the point: 8 are for the value, 2 for sums past 1
constexpr int32_t kHalf = 1 << (kPrecision - 1);
constexpr std::array<std::string_view, 5> kNames = {"box", "bilinear", "hamming", "bicubic", "lanczos"};

double support_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::box:
      return 0.5;
    case ResizeFilter::bilinear:
    case ResizeFilter::hamming:
      return 1;
    case ResizeFilter::bicubic:
      return 2;
    case ResizeFilter::lanczos:
      return 3;
  }
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double hamming(double x) {
  if (x == 0) return 1;
  if (x >= 1) return 0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54 + 0.46 * std::cos(x));
}

double kernel(ResizeFilter filter, double x) {
  switch (filter) {
    case ResizeFilter::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case ResizeFilter::bilinear:
      return std::max(0.0, 1 - std::abs(x));
    case ResizeFilter::hamming:
      return hamming(std::abs(x));
    case ResizeFilter::bicubic:
      return bicubic(std::abs(x));
    case ResizeFilter::lanczos:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

/// For each new pixel the old ones it is made of, and their weights.
struct Weights {
  struct Span {
    int64_t first, count;
  };
  std::vector<Span> spans;
  std::vector<int32_t> values;  // `stride` a pixel
  int64_t stride = 0;

  const int32_t* of(int64_t pixel) const { return &values[size_t(pixel * stride)]; }
};

int32_t fixed_point(double weight) { return int32_t(weight * (1 << kPrecision) + (weight < 0 ? -0.5 : 0.5)); }

Weights weights_for(int64_t old_size, int64_t new_size, ResizeFilter filter) {
  const double scale = double(old_size) / double(new_size);
  const double width = std::max(scale, 1.0);
  const double support = support_of(filter) * width;
  Weights weights;
  weights.stride = int64_t(std::ceil(support)) * 2 + 1;
  weights.values.resize(size_t(new_size * weights.stride));
  std::vector<double> row(size_t(weights.stride));
  for (int64_t i = 0; i < new_size; ++i) {
    const double center = (double(i) + 0.5) * scale;
    const int64_t first = std::max(int64_t(center - support + 0.5), int64_t(0));
    const int64_t count = std::min(int64_t(center + support + 0.5), old_size) - first;
    double sum = 0;
    for (int64_t k = 0; k < count; ++k)
      sum += row[size_t(k)] = kernel(filter, (double(first + k) - center + 0.5) * (1 / width));
    for (int64_t k = 0; k < count; ++k)
      weights.values[size_t(i * weights.stride + k)] = fixed_point(sum != 0 ? row[size_t(k)] / sum : row[size_t(k)]);
    weights.spans.push_back({first, count});
  }
  return weights;
}

uint8_t rounded(int32_t sum) { return uint8_t(std::clamp(sum >> kPrecision, 0, 255)); }

/// One line of pixels to a line of another length.
template <int kChannels>
void resize_row(const uint8_t* in, const Weights& weights, uint8_t* out) {
  for (size_t i = 0; i < weights.spans.size(); ++i) {
    const auto [first, count] = weights.spans[i];
    const int32_t* weight = weights.of(int64_t(i));
    const uint8_t* pixel = in + first * kChannels;
    int32_t sums[kChannels];
    std::fill_n(sums, kChannels, kHalf);
    for (int64_t k = 0; k < count; ++k, pixel += kChannels)
      for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weight[k];
    for (int c = 0; c < kChannels; ++c) *out++ = rounded(sums[c]);
  }
}

Image resize_columns(const Image& image, int64_t width, ResizeFilter filter) {
  const Weights weights = weights_for(image.width, width, filter);
  Image out{width, image.height, image.channels, std::vector<uint8_t>(size_t(width * image.height * image.channels))};
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* from = &image.pixels[size_t(y * image.width * image.channels)];
    uint8_t* to = &out.pixels[size_t(y * width * image.channels)];
    image.channels == 1 ? resize_row<1>(from, weights, to) : resize_row<3>(from, weights, to);
  }
  return out;
}

Image resize_rows(const Image& image, int64_t height, ResizeFilter filter) {
  const Weights weights = weights_for(image.height, height, filter);
  const int64_t row = image.width * image.channels;
  Image out{image.width, height, image.channels, std::vector<uint8_t>(size_t(row * height))};
  std::vector<int32_t> sums(static_cast<size_t>(row));
  for (int64_t y = 0; y < height; ++y) {
    const auto [first, count] = weights.spans[size_t(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int64_t k = 0; k < count; ++k) {
      const uint8_t* from = &image.pixels[size_t((first + k) * row)];
      const int32_t weight = weights.of(y)[k];
      for (int64_t x = 0; x < row; ++x) sums[size_t(x)] += from[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), &out.pixels[size_t(y * row)], rounded);
  }
  return out;
}

}  // namespace

ResizeFilter resize_filter_from_name(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  require<ValueError>(found != kNames.end(),
                      "resize filter: must be box, bilinear, hamming, bicubic or lanczos (\"{}\")", name);
  return ResizeFilter(found - kNames.begin());
}

std::string_view name_of(ResizeFilter filter) { return kNames[size_t(filter)]; }

Image resize_image(const Image& image, int64_t width, int64_t height, ResizeFilter filter) {
  require<ValueError>(width > 0 && height > 0 && width <= kMaxPixels / height && image.height <= kMaxPixels / width,
                      "resize image: size must be positive and of at most {} pixels ({} x {} from {} x {})", kMaxPixels,
                      width, height, image.width, image.height);
  require<ValueError>(image.channels == 1 || image.channels == 3,
                      "resize image: picture must be grey or RGB ({} "
                      "channels)",
                      image.channels);
  require<ValueError>(
      image.width > 0 && image.height > 0 && image.pixels.size() == size_t(image.width * image.height * image.channels),
      "resize image: picture must have {} bytes ({})", image.width * image.height * image.channels,
      image.pixels.size());
  if (image.height == height) return image.width == width ? image : resize_columns(image, width, filter);
  if (image.width == width) return resize_rows(image, height, filter);
  return resize_rows(resize_columns(image, width, filter), height, filter);
}

}  // namespace plumb
