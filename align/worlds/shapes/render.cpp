#include "align/worlds/shapes/render.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace plumb::shapes {
namespace {

constexpr double kTexture = 0.04;  // a pattern's distance from the ground's level, either way

struct Point {
  double x, y;
};
using Polygon = std::vector<Point>;

// Outlines for radius 1, y downwards.
Polygon square_outline() { return {{-.88, -.88}, {.88, -.88}, {.88, .88}, {-.88, .88}}; }
Polygon triangle_outline() { return {{0, -1}, {1, .9}, {-1, .9}}; }
Polygon star_outline() {
  Polygon corners;
  for (int i = 0; i < 10; ++i) {
    const double angle = std::numbers::pi * (i / 5.0 - 0.5), radius = i % 2 == 0 ? 1 : 0.4;
    corners.push_back({radius * std::cos(angle), radius * std::sin(angle)});
  }
  return corners;
}
Polygon cross_outline() {
  constexpr double a = 0.34;
  return {{-a, -1}, {a, -1}, {a, -a}, {1, -a}, {1, a}, {a, a}, {a, 1}, {-a, 1}, {-a, a}, {-1, a}, {-1, -a}, {-a, -a}};
}

const Polygon& polygon_of(ShapeKind shape) {
  static const Polygon square = square_outline(), triangle = triangle_outline(), star = star_outline(),
                       cross = cross_outline();
  switch (shape) {
    case ShapeKind::square:
      return square;
    case ShapeKind::triangle:
      return triangle;
    case ShapeKind::star:
      return star;
    default:
      return cross;
  }
}

/// Distance to the nearest edge; inside by the parity of crossings of a ray to the right.
double polygon_distance(const Polygon& corners, double x, double y) {
  double nearest = 1e30;
  bool inside = false;
  for (size_t i = 0, last = corners.size() - 1; i < corners.size(); last = i++) {
    const Point a = corners[last], b = corners[i];
    const double ex = b.x - a.x, ey = b.y - a.y, px = x - a.x, py = y - a.y;
    const double along = std::clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0);
    const double dx = px - along * ex, dy = py - along * ey;
    nearest = std::min(nearest, dx * dx + dy * dy);
    if ((a.y > y) != (b.y > y) && px < ex * py / ey) inside = !inside;
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

double ground_at(const Ground& ground, int64_t x, int64_t y) {
  const auto band = [&](int64_t at) { return int64_t(std::floor((double(at) + ground.phase) / ground.period)); };
  if (ground.pattern == Ground::Pattern::plain) return ground.level;
  const int64_t cell = band(y) + (ground.pattern == Ground::Pattern::checks ? band(x) : 0);
  return ground.level + (cell % 2 == 0 ? kTexture : -kTexture);
}

std::vector<double> gaussian(double sigma) {
  const auto reach = int64_t(std::ceil(3 * sigma));
  std::vector<double> weights(size_t(2 * reach + 1));
  double sum = 0;
  for (int64_t i = -reach; i <= reach; ++i)
    sum += weights[size_t(i + reach)] = std::exp(-0.5 * double(i * i) / (sigma * sigma));
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace

double outline_distance(ShapeKind shape, double radius, double x, double y) {
  const double from_center = std::hypot(x, y);
  if (shape == ShapeKind::circle) return from_center - radius;
  if (shape == ShapeKind::ring) return std::abs(from_center - 0.75 * radius) - 0.25 * radius;
  return radius * polygon_distance(polygon_of(shape), x / radius, y / radius);
}

void blur_picture(std::vector<double>& pixels, int64_t height, int64_t width, int64_t channels, double sigma) {
  if (sigma <= 0) return;
  const std::vector<double> weights = gaussian(sigma);
  const auto reach = int64_t(weights.size() / 2);
  const auto pass = [&](int64_t lines, int64_t line_stride, int64_t length, int64_t stride) {
    std::vector<double> line(static_cast<size_t>(length));
    for (int64_t l = 0; l < lines * channels; ++l) {
      double* at = pixels.data() + l / channels * line_stride + l % channels;
      for (int64_t i = 0; i < length; ++i) line[size_t(i)] = at[i * stride];
      for (int64_t i = 0; i < length; ++i) {
        double sum = 0;
        for (int64_t k = -reach; k <= reach; ++k)
          sum += weights[size_t(k + reach)] * line[size_t(std::clamp<int64_t>(i + k, 0, length - 1))];
        at[i * stride] = sum;
      }
    }
  };
  pass(height, width * channels, width, channels);
  pass(width, channels, height, width * channels);
}

Coverage coverage_of(const Object& object, Coverage window, double blur) {
  window.values.assign(size_t(window.width * window.height), 0.0);
  const auto first = [](double low, int64_t begin) {
    return std::max<int64_t>(0, int64_t(std::floor(low)) - 1 - begin);
  };
  const auto last = [](double high, int64_t begin, int64_t size) {
    return std::min<int64_t>(size, int64_t(std::ceil(high)) + 1 - begin);
  };
  for (int64_t y = first(object.y - object.radius, window.top);
       y < last(object.y + object.radius, window.top, window.height); ++y)
    for (int64_t x = first(object.x - object.radius, window.left);
         x < last(object.x + object.radius, window.left, window.width); ++x) {
      const double distance = outline_distance(object.shape, object.radius, double(window.left + x) + 0.5 - object.x,
                                               double(window.top + y) + 0.5 - object.y);
      window.values[size_t(y * window.width + x)] = std::clamp(0.5 - distance, 0.0, 1.0);
    }
  blur_picture(window.values, window.height, window.width, 1, blur);
  return window;
}

std::vector<double> render_linear(const Scene& scene, int64_t size) {
  std::vector<double> pixels(size_t(size * size * 3));
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x)
      std::fill_n(pixels.begin() + (y * size + x) * 3, 3, ground_at(scene.ground, x, y));
  for (const Object& object : scene.objects) {
    const Coverage coverage = coverage_of(object, {.width = size, .height = size}, 0);
    const Rgb color = rgb_of(object.hue);
    for (size_t i = 0; i < coverage.values.size(); ++i)
      for (size_t c = 0; c < 3; ++c) pixels[3 * i + c] += coverage.values[i] * (color[c] - pixels[3 * i + c]);
  }
  blur_picture(pixels, size, size, 3, scene.blur);
  return pixels;
}

Image render(const Scene& scene, int64_t size) {
  const std::vector<double> pixels = render_linear(scene, size);
  Image image{.width = size, .height = size, .channels = 3, .pixels = std::vector<uint8_t>(pixels.size())};
  for (size_t i = 0; i < pixels.size(); ++i)
    image.pixels[i] = uint8_t(std::lround(255 * std::clamp(pixels[i], 0.0, 1.0)));
  return image;
}

}  // namespace plumb::shapes
