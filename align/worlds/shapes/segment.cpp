#include "align/worlds/shapes/segment.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/require.h"

namespace plumb::shapes {
namespace {

constexpr int kGround = -1;

/// Calls with each of the four neighbours inside the picture.
template <class F>
void for_neighbors(int64_t i, int64_t size, F&& call) {
  const int64_t x = i % size, y = i / size;
  if (x > 0) call(i - 1);
  if (x + 1 < size) call(i + 1);
  if (y > 0) call(i - size);
  if (y + 1 < size) call(i + size);
}

/// Of each pixel the colour it is more than half of, as a place in `hues`.
std::vector<int> label(const Pixels& pixels, const Rgb& ground, const std::vector<Hue>& hues) {
  std::vector<int> labels(size_t(pixels.size * pixels.size), kGround);
  for (size_t i = 0; i < labels.size(); ++i) {
    double nearest = 1e30;
    for (size_t h = 0; h < hues.size(); ++h) {
      const Mixture mixture = mixture_of(pixels.at(int64_t(i)), ground, rgb_of(hues[h]));
      // Past the colour itself a pixel is as far off as it is too bright.
      const double off = mixture.off + std::max(mixture.share - 1, 0.0);
      if (off >= nearest) continue;
      nearest = off;
      labels[i] = mixture.share > 0.5 ? int(h) : kGround;
    }
  }
  return labels;
}

/// Connected pixels of one label.
std::vector<int64_t> flood(int64_t from, int64_t size, const std::vector<int>& labels, std::vector<bool>& seen) {
  std::vector<int64_t> found = {from};
  seen[size_t(from)] = true;
  for (size_t next = 0; next < found.size(); ++next)
    for_neighbors(found[next], size, [&](int64_t neighbor) {
      if (seen[size_t(neighbor)] || labels[size_t(neighbor)] != labels[size_t(from)]) return;
      seen[size_t(neighbor)] = true;
      found.push_back(neighbor);
    });
  return found;
}

/// Grows all regions by one pixel a round, each into what nobody has.
void grow(Segments& segments, int64_t size, int64_t reach) {
  std::vector<int64_t> front;
  for (size_t r = 0; r < segments.regions.size(); ++r)
    for (const int64_t i : segments.regions[r].pixels) {
      segments.owner[size_t(i)] = int(r);
      front.push_back(i);
    }
  for (int64_t round = 0; round < reach; ++round) {
    std::vector<int64_t> next;
    for (const int64_t i : front)
      for_neighbors(i, size, [&](int64_t neighbor) {
        if (segments.owner[size_t(neighbor)] != kGround) return;
        segments.owner[size_t(neighbor)] = segments.owner[size_t(i)];
        next.push_back(neighbor);
      });
    front = std::move(next);
  }
}

}  // namespace

Pixels pixels_of(const Image& image) {
  require<ValueError>(image.channels == 3 && image.width == image.height,
                      "shapes: a picture must be a square of three channels ({}x{}, {})", image.width, image.height,
                      image.channels);
  Pixels pixels{.size = image.width, .values = std::vector<double>(image.pixels.size())};
  for (size_t i = 0; i < image.pixels.size(); ++i) pixels.values[i] = image.pixels[i] / 255.0;
  return pixels;
}

Rgb ground_of(const Pixels& pixels) {
  Rgb ground{};
  std::vector<double> channel(size_t(pixels.size * pixels.size));
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < channel.size(); ++i) channel[i] = pixels.values[3 * i + c];
    std::nth_element(channel.begin(), channel.begin() + std::ptrdiff_t(channel.size() / 2), channel.end());
    ground[c] = channel[channel.size() / 2];
  }
  return ground;
}

Mixture mixture_of(const double* pixel, const Rgb& ground, const Rgb& color) {
  double along = 0, length = 0, square = 0;
  for (size_t c = 0; c < 3; ++c) {
    const double way = color[c] - ground[c], got = pixel[c] - ground[c];
    along += way * got;
    length += way * way;
    square += got * got;
  }
  const double share = along / length;
  return {share, std::sqrt(std::max(square - share * along, 0.0))};
}

Segments segment(const Pixels& pixels, const Rgb& ground, const std::vector<Hue>& hues, int64_t least, int64_t reach) {
  const std::vector<int> labels = label(pixels, ground, hues);
  std::vector<bool> seen(labels.size(), false);
  Segments segments{.owner = std::vector<int>(labels.size(), kGround)};
  std::vector<std::vector<int64_t>> small;
  for (int64_t i = 0; i < int64_t(labels.size()); ++i) {
    if (labels[size_t(i)] == kGround || seen[size_t(i)]) continue;
    std::vector<int64_t> found = flood(i, pixels.size, labels, seen);
    if (int64_t(found.size()) >= least)
      segments.regions.push_back({hues[size_t(labels[size_t(i)])], std::move(found)});
    else
      small.push_back(std::move(found));
  }
  grow(segments, pixels.size, 0);
  for (const std::vector<int64_t>& speck : small) {
    bool touches = false;
    for (const int64_t i : speck)
      for_neighbors(i, pixels.size, [&](int64_t neighbor) { touches |= segments.owner[size_t(neighbor)] != kGround; });
    if (!touches) segments.specks += int64_t(speck.size());
  }
  grow(segments, pixels.size, reach);
  return segments;
}

}  // namespace plumb::shapes
