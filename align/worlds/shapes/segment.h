#pragma once

#include <vector>

#include "align/worlds/shapes/world.h"
#include "engine/io/image.h"

// The first half of the analyser: which pixels belong to one object.

namespace plumb::shapes {

/// A picture as numbers: [size, size, 3] in [0, 1].
struct Pixels {
  int64_t size = 0;
  std::vector<double> values = {};

  const double* at(int64_t i) const { return &values[size_t(3 * i)]; }
};
Pixels pixels_of(const Image& image);

/// The median of each channel: objects cover less than half of a picture.
Rgb ground_of(const Pixels& pixels);

/// How far a pixel is on the way from the ground to a colour (0 and 1 at the ends; not clamped), and how far off that
/// line.
struct Mixture {
  double share = 0, off = 0;
};
Mixture mixture_of(const double* pixel, const Rgb& ground, const Rgb& color);

/// Neighbouring pixels that are more than half of one colour.
struct Region {
  Hue hue = Hue::red;
  std::vector<int64_t> pixels = {};  ///< numbers y * size + x
};

struct Segments {
  std::vector<Region> regions = {};  ///< of at least `least` pixels, by their first pixel
  int64_t specks = 0;                ///< pixels of smaller regions that touch no other region
  /// Of every pixel the region that it is nearest to, -1 when none is within `reach` pixels.
  std::vector<int> owner = {};
};
Segments segment(const Pixels& pixels, const Rgb& ground, const std::vector<Hue>& hues, int64_t least, int64_t reach);

}  // namespace plumb::shapes
