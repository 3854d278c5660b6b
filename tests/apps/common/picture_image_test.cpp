#include "apps/common/picture_image.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops.h"

using namespace plumb;

TEST_CASE("picture image: pixels are rounded half to even and clamped, and come back") {
  const Tensor pixels = from_vector<float>({-1, 1, -3, 7, 0, 1.0f / 255, -1, 0.5f, 0, 0, 0, 0}, {1, 3, 2, 2});
  const Image image = picture_of(pixels);
  CHECK(image.width == 2);
  CHECK(image.channels == 3);
  // Colours of a pixel lie together; 0 is 127.5, which is rounded to even.
  CHECK(image.pixels == std::vector<uint8_t>{0, 128, 128, 255, 128, 128, 0, 0, 128, 255, 191, 128});
  CHECK(picture_of(pixels_of(image, 3)) == image);
  const Tensor grey = pixels_of(image, 1);
  CHECK(grey.shape() == Shape{1, 1, 2, 2});
  CHECK(select(flatten(grey), 0, 0).item() == doctest::Approx(256.0 / 3 / 127.5 - 1));
  CHECK(picture_of(zeros({1, 1, 3, 2})).channels == 1);
  CHECK_THROWS_AS(picture_of(zeros({1, 4, 2, 2})), ShapeError);
  CHECK_THROWS_AS(picture_of(zeros({1, 3, 2, 2}), 1), ShapeError);
}

TEST_CASE("picture image: a grid is about square and black where nothing is") {
  const auto filled = [](int64_t width, int64_t height, int64_t channels, uint8_t value) {
    return Image{.width = width,
                 .height = height,
                 .channels = channels,
                 .pixels = std::vector<uint8_t>(size_t(width * height * channels), value)};
  };
  const Image grid = grid_of({filled(2, 1, 3, 10), filled(1, 1, 1, 20), filled(2, 1, 3, 30)});
  CHECK(grid.width == 4);
  CHECK(grid.height == 2);
  CHECK(grid.channels == 3);
  const auto at = [&](int64_t x, int64_t y) { return int(grid.pixels[size_t((y * 4 + x) * 3 + 2)]); };
  CHECK(at(1, 0) == 10);
  CHECK(at(2, 0) == 20);
  CHECK(at(3, 0) == 0);
  CHECK(at(0, 1) == 30);
  CHECK(at(2, 1) == 0);

  const Image row = grid_of({filled(1, 2, 1, 7), filled(1, 2, 1, 8)}, {.columns = 5, .gap = 1, .ground = 255});
  CHECK(row.width == 3);
  CHECK(row.pixels == std::vector<uint8_t>{7, 255, 8, 7, 255, 8});
  CHECK_THROWS_AS(grid_of({}), ValueError);
}
