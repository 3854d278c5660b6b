#include "nn/data/picture_loader.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;

namespace {

/// Every pixel another value.
Image numbered(int64_t width, int64_t height, int64_t channels = 3, uint8_t first = 0) {
  Image image{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i) image.pixels.push_back(uint8_t(first + 7 * i));
  return image;
}

float normal(uint8_t value) { return (float(value) / 255.0f - 0.5f) / 0.5f; }

}  // namespace

TEST_CASE("pictures: the shorter side is resized, the longer keeps the shape") {
  const PictureTransform transform{.resolution = 8};
  const auto size = [&](int64_t width, int64_t height) {
    const Image image = resized(numbered(width, height), transform);
    return std::pair(image.width, image.height);
  };
  CHECK(size(16, 16) == std::pair<int64_t, int64_t>(8, 8));
  CHECK(size(20, 13) == std::pair<int64_t, int64_t>(12, 8));  // 12.3
  CHECK(size(13, 20) == std::pair<int64_t, int64_t>(8, 12));
  CHECK(size(3, 4) == std::pair<int64_t, int64_t>(8, 10));
  CHECK(resized(numbered(2, 2, 4), transform).channels == 3);
  CHECK(resized(numbered(9, 9), {.resolution = 8, .channels = 1}).channels == 1);
}

TEST_CASE("pictures: centre crops round halves to even, random ones cover every place, flips mirror") {
  const PictureTransform center{.resolution = 4, .center_crop = true};
  const RandomKey key{.seed = 3};
  CHECK(choose_crop(numbered(4, 5), center, key) == PictureCrop{0, 0, false});   // 0.5
  CHECK(choose_crop(numbered(7, 4), center, key) == PictureCrop{0, 2, false});   // 1.5
  CHECK(choose_crop(numbered(10, 4), center, key) == PictureCrop{0, 3, false});  // 3
  const PictureTransform random{.resolution = 4, .random_flip = true};
  int seen[2][3] = {};
  for (uint64_t i = 0; i < 200; ++i) {
    const PictureCrop crop = choose_crop(numbered(6, 4), random, key.at_sample(i));
    CHECK(crop.top == 0);
    ++seen[crop.flip][crop.left];
  }
  for (const auto& row : seen)
    for (const int count : row) CHECK(count > 15);
  const Image image = numbered(5, 4, 3);
  std::vector<float> out(3 * 16);
  to_floats(image, center, {0, 1, true}, out.data());
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < 4; ++y)
      for (int64_t x = 0; x < 4; ++x)
        CHECK(out[size_t((c * 4 + y) * 4 + x)] == normal(image.pixels[size_t((y * 5 + 4 - x) * 3 + c)]));
  CHECK(normal(255) == 1);
  CHECK(normal(0) == -1);
  CHECK_THROWS_AS(to_floats(image, center, {1, 0, false}, out.data()), ShapeError);
}

TEST_CASE("picture loader: batches do not depend on workers, memory or what was asked for before") {
  const TempDir dir;
  PictureDataset dataset;
  for (int i = 0; i < 7; ++i) {
    const auto path = dir / (std::to_string(i) + ".png");
    write_png(path, numbered(9 + i, 12, 3, uint8_t(31 * i)));
    dataset.samples.push_back({.source = {.file = path.string()}});
  }
  const PictureTransform transform{.resolution = 6, .random_flip = true};
  const auto plan = [](int64_t batch) {
    const RandomKey key = RandomKey{.seed = 5}.at_step(uint64_t(batch));
    return PictureLoader::Plan{{batch % 7, 3 * batch % 7, 6}, key};
  };
  PictureLoader plainly(dataset, transform, plan, {.workers = 0, .memory = 0});
  PictureLoader ahead(dataset, transform, plan, {.workers = 3, .memory = 1500});
  for (const int64_t batch : {0, 1, 2, 3, 9, 10, 4, 5, 6}) {
    const PictureBatch expected = plainly.at(batch), got = ahead.at(batch);
    CHECK(got.samples == plan(batch).samples);
    CHECK(got.crops == expected.crops);
    CHECK(got.pixels.to_vector<float>() == expected.pixels.to_vector<float>());
    CHECK(got.pixels.shape() == Dims{3, 3, 6, 6});
  }
  write_file_atomic(dir / "2.png", "broken");
  PictureLoader broken(dataset, transform, plan, {.workers = 2});
  broken.at(0), broken.at(1);
  CHECK_THROWS_WITH_AS(broken.at(2), doctest::Contains("2.png"), IoError);
}
