#pragma once

#include <vector>

#include "align/worlds/shapes/scene.h"
#include "engine/io/image.h"

namespace plumb::shapes {

/// A shape's coverage of pixels: how much of each lies inside the outline.
struct Coverage {
  int64_t left = 0, top = 0, width = 0, height = 0;
  std::vector<double> values = {};  ///< [height, width], in [0, 1]
};

/// Signed distance in pixels of a point, seen from the centre, to the outline of radius `radius`; negative inside.
double outline_distance(ShapeKind shape, double radius, double x, double y);

/// Coverage of the window [left, left + width) x [top, top + height), from the distance of the pixels' centres to the
/// outline: 1/2 on it, 0 and 1 half a pixel away; then blurred.
Coverage coverage_of(const Object& object, Coverage window, double blur);

/// Red, green and blue as doubles: [size, size, 3] in [0, 1].
std::vector<double> render_linear(const Scene& scene, int64_t size);
/// The same, rounded to bytes.
Image render(const Scene& scene, int64_t size);

/// Gaussian of standard deviation `sigma` along both axes of [height, width, channels], in place; edges are repeated.
void blur_picture(std::vector<double>& pixels, int64_t height, int64_t width, int64_t channels, double sigma);

}  // namespace plumb::shapes
