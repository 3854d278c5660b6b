#include "align/worlds/shapes/analyser.h"

#include <doctest/doctest.h>

#include <cmath>

#include "align/worlds/shapes/certificate.h"
#include "align/worlds/shapes/render.h"
#include "align/worlds/shapes/score.h"
#include "engine/error.h"
#include "engine/random/fills.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::shapes;
using plumb::test::message_of;

namespace {

Image plain_picture(int64_t size, uint8_t value) {
  return {.width = size, .height = size, .channels = 3, .pixels = std::vector<uint8_t>(size_t(size * size * 3), value)};
}

void paint(Image& image, int64_t left, int64_t top, int64_t width, int64_t height, Hue hue) {
  const Rgb color = rgb_of(hue);
  for (int64_t y = top; y < top + height; ++y)
    for (int64_t x = left; x < left + width; ++x)
      for (size_t c = 0; c < 3; ++c)
        image.pixels[size_t((y * image.width + x) * 3) + c] = uint8_t(std::lround(255 * color[c]));
}

std::string problem_of(const Image& image) {
  const Reading reading = analyse(image, tiny_world());
  CHECK_FALSE(reading.readable);
  CHECK(reading.quality == 0);
  return reading.problem;
}

}  // namespace

TEST_CASE("shapes analyser: clean, blurred, noisy and faded pictures are read right, or rarely not at all") {
  for (const World& world : {tiny_world(), full_world()}) {
    for (const Damage& damage : damages()) {
      CAPTURE(world.name);
      CAPTURE(damage.name);
      const Certificate c = certify(world, {.seed = 3}, damage.name == "clean" ? 90 : 24, damage);
      CHECK(c.wrong() == 0);
      CHECK(c.unreadable <= (damage.noise >= 0.03 ? 3 : 0));
      if (damage.soften < 1) {
        // What was softened more is blurry by any measure.
        if (damage.soften <= 0.5) CHECK(c.quality_right == c.pictures - c.unreadable);
        CHECK(c.worst_misfit <= 0.1);
      }
      // The pattern on a ground is part of what is left; otherwise the noise that was added.
      if (world.textured == 0 && damage.fade == 0) CHECK(std::abs(c.mean_residual - damage.noise) <= 0.002);
    }
  }
}

TEST_CASE("shapes analyser: places, sizes and blur are read to a fraction of a pixel") {
  const World world = full_world();
  for (uint64_t i = 0; i < 60; ++i) {
    const Scene scene = draw_scene(world, kAllCategories[i % 6], RandomKey{.seed = 21}.at_sample(i), Pairs::all);
    const Reading reading = analyse(render(scene, world.picture_size), world);
    REQUIRE(reading.readable);
    REQUIRE(reading.scene.objects.size() == scene.objects.size());
    CHECK(std::abs(reading.scene.blur - scene.blur) <= 0.15);
    for (const Object& object : scene.objects) {
      double nearest = 1e9, radius = 0;
      for (const Object& read : reading.scene.objects)
        if (const double d = std::hypot(read.x - object.x, read.y - object.y); d < nearest)
          nearest = d, radius = read.radius;
      CHECK(nearest <= 0.3);
      CHECK(std::abs(radius - object.radius) <= 0.4);
    }
  }
}

TEST_CASE("shapes analyser: quality falls with blur and noise and is 1 for a clean crisp picture") {
  const World world = tiny_world();
  Scene scene{.objects = {{ShapeKind::circle, Hue::red, 9.2, 10.1, 5.6}, {ShapeKind::cross, Hue::cyan, 23, 21.7, 6}},
              .ground = {.level = 0.15}};
  const double clean = analyse(render(scene, 32), world).quality;
  CHECK(clean > 0.98);
  double last = clean;
  for (const double noise : {0.01, 0.03, 0.05}) {
    const double quality = analyse(damaged(scene, 32, {.noise = noise}, {.seed = 1}), world).quality;
    CHECK(quality < last - 0.02);
    last = quality;
  }
  scene.blur = 1.3;
  const Reading blurred = analyse(render(scene, 32), world);
  CHECK(blurred.scene.quality() == Quality::blurry);
  CHECK(blurred.quality < 0.85);
  CHECK(blurred.residual < 0.01);
  CHECK(analyse(plain_picture(32, 40), world).quality == 0);
}

TEST_CASE("shapes analyser: an empty picture is read, what is no picture of the world is not") {
  const Reading empty = analyse(plain_picture(32, 40), tiny_world());
  CHECK(empty.readable);
  CHECK(empty.scene.objects.empty());
  CHECK(empty.residual < 0.01);
  CHECK(problem_of(plain_picture(32, 200)) == "ground");
  Image pink = plain_picture(32, 60);
  for (size_t i = 0; i < pink.pixels.size(); i += 3) pink.pixels[i] = 120;
  CHECK(problem_of(pink) == "ground");

  // Two colours in one outline: each half could be a square behind the other, but not both.
  Image halves = plain_picture(32, 40);
  paint(halves, 8, 8, 12, 6, Hue::red);
  paint(halves, 8, 14, 12, 6, Hue::green);
  CHECK(problem_of(halves) == "residual");
  Image grey = plain_picture(32, 40);
  for (int64_t i = 0; i < 100; ++i)
    for (size_t c = 0; c < 3; ++c) grey.pixels[size_t(((8 + i / 10) * 32 + 8 + i % 10) * 3) + c] = 150;
  CHECK(problem_of(grey) == "color");
  Image bar = plain_picture(32, 40);
  paint(bar, 3, 14, 26, 5, Hue::blue);
  CHECK(problem_of(bar) == "shape");
  Image large = plain_picture(32, 40);
  paint(large, 6, 6, 19, 19, Hue::blue);
  CHECK(problem_of(large) == "size");
  Image specks = plain_picture(32, 40);
  for (int64_t i = 0; i < 5; ++i) paint(specks, 3 + 5 * i, 4 + 5 * i, 2, 2, Hue::yellow);
  CHECK(problem_of(specks) == "specks");
  Image noise = plain_picture(32, 0);
  std::vector<float> values(noise.pixels.size());
  fill_uniform(RandomKey{.seed = 5}, {1, int64_t(values.size())}, values.data());
  for (size_t i = 0; i < values.size(); ++i) noise.pixels[i] = uint8_t(255 * values[i]);
  CHECK_FALSE(analyse(noise, tiny_world()).readable);

  CHECK(message_of([] { analyse(plain_picture(64, 40), tiny_world()); }) ==
        "shapes: a picture of this world must be 32x32 (64x64)");
}

TEST_CASE("shapes analyser: a reading as JSON") {
  const Scene scene{.objects = {{ShapeKind::square, Hue::yellow, 16.5, 12.25, 5.5}}, .ground = {.level = 0.12}};
  const Json json = to_json(analyse(render(scene, 32), tiny_world()));
  const Json& object = json.at("objects")[0];
  CHECK(object.at("shape").as_string() == "square");
  CHECK(object.at("color").as_string() == "yellow");
  CHECK(std::abs(object.at("x").as_number() - 16.5) <= 0.1);
  CHECK(json.at("blur").as_number() == 0);
  CHECK(to_json(analyse(plain_picture(32, 255), tiny_world())).dump() == R"({"problem": "ground"})");
}
