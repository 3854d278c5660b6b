#include "apps/common/plot/canvas.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

using namespace plumb::plot;

namespace {

constexpr Color kBlack = rgb(0);

// Ink on the canvas in whole pixels: black on white, so darkness is coverage.
double ink(const Canvas& canvas) {
  double sum = 0;
  for (uint8_t value : canvas.pixels()) sum += (255 - value) / 255.0;
  return sum / 3;
}

int level(const Canvas& canvas, int64_t x, int64_t y) {
  return canvas.pixels()[static_cast<std::size_t>((y * canvas.width() + x) * 3)];
}

}  // namespace

TEST_CASE("canvas: an area covers what it covers, to a fraction of a pixel") {
  Canvas canvas(40, 30, kPaper);
  canvas.area({{3.25, 4.5}, {20.75, 4.5}, {20.75, 9.25}, {3.25, 9.25}}, kBlack);
  CHECK(std::abs(ink(canvas) - 17.5 * 4.75) <= 0.3);  // 62 edge pixels rounded to 1/256 each
  CHECK(level(canvas, 10, 6) == 0);
  CHECK(level(canvas, 25, 6) == 255);
  CHECK(std::abs(level(canvas, 10, 4) - 128) <= 1);
  Canvas turned(40, 30, kPaper);  // the same area with the other winding is as dark
  turned.area({{3.25, 9.25}, {20.75, 9.25}, {20.75, 4.5}, {3.25, 4.5}}, kBlack);
  CHECK(turned.pixels() == canvas.pixels());
}

TEST_CASE("canvas: triangles, discs and strokes have the right size") {
  Canvas triangle(60, 60, kPaper);
  triangle.area({{5.3, 7.1}, {50.2, 20.9}, {15.7, 55.5}}, kBlack);
  double exact = std::abs((50.2 - 5.3) * (55.5 - 7.1) - (15.7 - 5.3) * (20.9 - 7.1)) / 2;
  CHECK(std::abs(ink(triangle) - exact) <= 0.5);
  Canvas disc(60, 60, kPaper);
  disc.disc({30.3, 29.6}, 12, kBlack);
  CHECK(std::abs(ink(disc) - std::numbers::pi * 144) <= 2);
  Canvas stroke(60, 60, kPaper);
  stroke.strokes({{{10.2, 10.1}, {49.6, 40.8}}}, 4, kBlack);
  double length = std::hypot(39.4, 30.7);
  CHECK(std::abs(ink(stroke) - (length * 4 + std::numbers::pi * 4)) <= 2);
}

TEST_CASE("canvas: a stroke is laid on once where it crosses itself, discs add up") {
  Color half = with_alpha(kBlack, 0.5);
  Canvas cross(20, 20, kPaper);
  cross.strokes({{{10.5, 0}, {10.5, 20}}, {{0, 10.5}, {20, 10.5}}}, 3, half);
  CHECK(level(cross, 10, 10) == level(cross, 10, 3));
  Canvas pile(20, 20, kPaper);
  pile.disc({10, 10}, 4, half);
  int once = level(pile, 10, 10);
  pile.disc({10, 10}, 4, half);
  CHECK(once == 128);
  CHECK(level(pile, 10, 10) == 64);
}

TEST_CASE("canvas: nothing leaves the clip, and shapes beyond the edge are cut") {
  Canvas canvas(20, 20, kPaper);
  canvas.clip({5, 5, 15, 12});
  canvas.area({{-100, -100}, {100, -100}, {100, 100}, {-100, 100}}, kBlack);
  CHECK(ink(canvas) == 70);
  CHECK(level(canvas, 4, 5) == 255);
  CHECK(level(canvas, 5, 5) == 0);
  CHECK(level(canvas, 14, 11) == 0);
  Canvas other(20, 20, kPaper);
  other.clip({-5, -5, 100, 100});
  other.disc({0, 0}, 1e6, kBlack);
  CHECK(ink(other) == 400);
}

TEST_CASE("canvas: coordinates that are no numbers draw nothing") {
  double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  Canvas canvas(20, 20, kPaper);
  canvas.disc({nan, 3}, 2, kBlack);
  canvas.disc({infinity, 3}, 2, kBlack);
  canvas.area({{nan, 0}, {1, 1}, {2, 0}}, kBlack);
  canvas.area({}, kBlack);
  canvas.strokes({{{nan, 0}, {1, 1}}, {{0, infinity}, {1, 1}}, {}}, 2, kBlack);
  CHECK(ink(canvas) <= 4);  // at most the round ends of the finite points
  Canvas far(20, 20, kPaper);
  far.strokes({{{-1e18, 10}, {1e18, 10}}}, 2, kBlack);
  far.strokes({{{5, -1e18}, {5, 1e18}}}, 2, kBlack);
  CHECK(ink(far) > 0);
}
