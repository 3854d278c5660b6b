#include "align/worlds/shapes/render.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <numeric>

using namespace plumb;
using namespace plumb::shapes;

namespace {

/// Inside by definitions that share nothing with the renderer's distances.
bool inside(ShapeKind shape, double x, double y) {
  const double r = std::hypot(x, y);
  switch (shape) {
    case ShapeKind::circle:
      return r < 1;
    case ShapeKind::ring:
      return r < 1 && r > 0.5;
    case ShapeKind::square:
      return std::abs(x) < 0.88 && std::abs(y) < 0.88;
    case ShapeKind::triangle:
      return y < 0.9 && std::abs(x) < (y + 1) / 1.9;
    case ShapeKind::cross:
      return (std::abs(x) < 0.34 && std::abs(y) < 1) || (std::abs(y) < 0.34 && std::abs(x) < 1);
    case ShapeKind::star: {
      // By symmetry one half of one point: the corners at angle 0 (radius 1) and pi / 5 (radius 0.4).
      double angle = std::atan2(x, -y);
      angle = std::abs(std::remainder(angle, 2 * std::numbers::pi / 5));
      const double px = r * std::cos(angle), py = r * std::sin(angle);
      const double bx = 0.4 * std::cos(std::numbers::pi / 5), by = 0.4 * std::sin(std::numbers::pi / 5);
      return (bx - 1) * py - by * (px - 1) > 0;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("shapes render: coverage agrees with counting points inside the shape") {
  constexpr int kPoints = 16;  // a side of a pixel
  for (int kind = 0; kind < kShapeKinds; ++kind) {
    CAPTURE(name_of(ShapeKind(kind)));
    const Object object{.shape = ShapeKind(kind), .x = 15.3, .y = 13.8, .radius = 9.7};
    const Coverage coverage = coverage_of(object, {.left = 2, .top = 1, .width = 27, .height = 25}, 0);
    double worst = 0, area = 0, expected_area = 0;
    for (int64_t y = 0; y < 25; ++y)
      for (int64_t x = 0; x < 27; ++x) {
        int count = 0;
        for (int i = 0; i < kPoints * kPoints; ++i) {
          const double px = double(2 + x) + (i % kPoints + 0.5) / kPoints,
                       py = double(1 + y) + (i / kPoints + 0.5) / kPoints;
          count += inside(object.shape, (px - object.x) / object.radius, (py - object.y) / object.radius);
        }
        const double expected = double(count) / (kPoints * kPoints), got = coverage.values[size_t(27 * y + x)];
        worst = std::max(worst, std::abs(got - expected));
        area += got;
        expected_area += expected;
      }
    // A distance knows nothing of corners: there half a pixel's coverage may be off, on edges little.
    CHECK(worst <= 0.5);
    CHECK(std::abs(area - expected_area) <= 0.02 * expected_area);
  }
}

TEST_CASE("shapes render: blur keeps mass and centre and has the variance it says") {
  const int64_t size = 41;
  std::vector<double> pixels(size_t(size * size * 2), 0.0);
  pixels[size_t(2 * (20 * size + 18))] = 3;  // one of two channels
  blur_picture(pixels, size, size, 2, 1.6);
  double mass = 0, mean = 0, variance = 0, other = 0;
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x) {
      const double value = pixels[size_t(2 * (y * size + x))];
      mass += value;
      mean += value * double(x);
      variance += value * double((y - 20) * (y - 20));
      other += pixels[size_t(2 * (y * size + x) + 1)];
    }
  CHECK(std::abs(mass - 3) <= 1e-12);
  CHECK(std::abs(mean / mass - 18) <= 1e-12);
  CHECK(std::abs(variance / mass - 1.6 * 1.6) <= 0.1);  // cut off at three standard deviations
  CHECK(other == 0);
}

TEST_CASE("shapes render: colours, ground and rounding") {
  const Scene scene{.objects = {{ShapeKind::square, Hue::orange, 12, 20, 6}}, .ground = {.level = 0.2}};
  const Image image = render(scene, 32);
  REQUIRE(image.pixels.size() == 32 * 32 * 3);
  const auto at = [&](int64_t x, int64_t y, int64_t c) { return image.pixels[size_t((y * 32 + x) * 3 + c)]; };
  CHECK(at(12, 20, 0) == 255);
  CHECK(at(12, 20, 1) == 133);  // 0.52 * 255 = 132.6
  CHECK(at(12, 20, 2) == 5);    // 0.02 * 255 = 5.1
  for (int64_t c = 0; c < 3; ++c) CHECK(at(31, 0, c) == 51);
  Scene stripes = scene;
  stripes.ground = {.pattern = Ground::Pattern::stripes, .level = 0.2, .period = 4};
  const Image striped = render(stripes, 32);
  CHECK(striped.pixels[0] == 61);                   // (0.2 + 0.04) * 255
  CHECK(striped.pixels[size_t(4 * 32 * 3)] == 41);  // four rows below
  CHECK(striped.pixels[size_t(4 * 3)] == 61);       // stripes lie across
}
