#include "align/worlds/shapes/caption_noise.h"

#include <doctest/doctest.h>

#include <cmath>

#include "align/worlds/shapes/prompts.h"

using namespace plumb;
using namespace plumb::shapes;

namespace {

/// Whether a share of `count` trials is within four standard deviations.
bool near(int64_t hits, int64_t count, double probability) {
  return std::abs(double(hits) - probability * double(count)) <=
         4 * std::sqrt(double(count) * probability * (1 - probability)) + 1e-9;
}

}  // namespace

TEST_CASE("shapes noise: faults happen as often as the world says and change what is said") {
  const World world = tiny_world();
  int64_t swapped = 0, miscounted = 0, dropped = 0, counts = 0, droppable = 0, same = 0, faultless = 0;
  constexpr int64_t kExamples = 6000;
  for (int64_t i = 0; i < kExamples; ++i) {
    const Example example = draw_example(world, {.seed = 5}, i);
    const auto clean = parse_caption(example.clean), noisy = parse_caption(example.caption);
    REQUIRE(clean);
    REQUIRE(noisy);
    CHECK(example.category == world.category_of_example(i));
    swapped += example.faults.swapped;
    miscounted += example.faults.miscounted;
    dropped += example.faults.dropped;
    counts += clean->phrases[0].count > 0;
    droppable += example.category != Category::single_object;
    const bool faulty = example.faults.swapped || example.faults.miscounted || example.faults.dropped;
    faultless += !faulty;
    same += example.clean == example.caption;
    CHECK(noisy->opening == clean->opening);
    CHECK(noisy->quality == clean->quality);
    CHECK(noisy->phrases.size() <= clean->phrases.size());
  }
  CHECK(near(swapped, kExamples, world.noise.swap));
  CHECK(near(miscounted, counts, world.noise.count));
  CHECK(near(dropped, droppable, world.noise.drop));
  CHECK(same >= faultless);
  // Two faults can undo each other only when what was changed is then left out.
  CHECK(same - faultless <= kExamples / 200);
}

TEST_CASE("shapes noise: rates of nothing and of everything") {
  World world = full_world();
  world.noise = {.swap = 0, .count = 0, .drop = 0};
  for (int64_t i = 0; i < 60; ++i) {
    const Example example = draw_example(world, {.seed = 6}, i);
    CHECK(example.clean == example.caption);
  }
  world.noise = {.swap = 0, .count = 1, .drop = 0};
  for (int64_t i = 2; i < 120; i += 6) {
    const Example example = draw_example(world, {.seed = 6}, i);
    const auto count = parse_caption(example.caption)->phrases[0].count;
    CHECK(count != int64_t(example.scene.objects.size()));
    CHECK(count >= 1);
    CHECK(count <= world.max_objects);
  }
}

TEST_CASE("shapes noise: a swap changes one thing, or exchanges two colours") {
  const World world = tiny_world();
  const Statement true_one = *parse_caption("a red circle left of a blue square");
  int exchanged = 0, inverted = 0, hues = 0, kinds = 0;
  for (uint64_t i = 0; i < 800; ++i) {
    Statement s = true_one;
    Draws draws(RandomKey{.seed = 2}.at_sample(i));
    swap_attribute(s, world, draws);
    CHECK(s.phrases.size() == 2);
    CHECK(s.phrases[0].shape != s.phrases[1].shape);
    const bool both = s.phrases[0].hue == Hue::blue && s.phrases[1].hue == Hue::red;
    const int changed_hues = (s.phrases[0].hue != Hue::red) + (s.phrases[1].hue != Hue::blue);
    const int changed_kinds = (s.phrases[0].shape != ShapeKind::circle) + (s.phrases[1].shape != ShapeKind::square);
    exchanged += both;
    inverted += s.relation == Relation::right;
    hues += changed_hues == 1;
    kinds += changed_kinds;
    CHECK((both ? 1 : changed_hues) + changed_kinds + (s.relation != Relation::left) == 1);
  }
  for (const int count : {exchanged, inverted, hues, kinds}) CHECK(near(count, 800, 0.25));
}
