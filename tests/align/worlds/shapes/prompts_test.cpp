#include "align/worlds/shapes/prompts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::shapes;
using plumb::test::message_of;
using HeldOut = PromptOptions::HeldOut;

TEST_CASE("shapes prompts: balanced, without noise or quality, and held out as asked for") {
  const World world = tiny_world();
  for (const HeldOut held_out : {HeldOut::without, HeldOut::with, HeldOut::only}) {
    const std::vector<std::string> prompts = draw_prompts(world, {.seed = 1}, 300, {.held_out = held_out});
    REQUIRE(prompts.size() == 300);
    std::map<Category, int> categories;
    int openings = 0, pairs = 0, either = 0;
    for (const std::string& prompt : prompts) {
      const auto s = parse_caption(prompt);
      REQUIRE(s);
      ++categories[category_of(*s)];
      CHECK_FALSE(s->quality);
      openings += has_held_out_opening(*s);
      pairs += has_held_out_pair(*s, world);
      either += has_held_out_opening(*s) || has_held_out_pair(*s, world);
    }
    for (const Category category : kAllCategories) CHECK(categories[category] == 50);
    if (held_out == HeldOut::without) CHECK(either == 0);
    if (held_out == HeldOut::only) CHECK(either == 300);
    if (held_out == HeldOut::only) CHECK(openings < 300);
    if (held_out == HeldOut::with) CHECK(std::abs(either - 150) <= 40);
    CHECK((pairs > 10) == (held_out != HeldOut::without));
  }
}

TEST_CASE("shapes prompts: duplicates only when asked for, where the world has enough to say") {
  const World world = full_world();
  const auto distinct = [&](double share) {
    const std::vector<std::string> prompts = draw_prompts(world, {.seed = 4}, 600, {.duplicates = share});
    return std::set(prompts.begin(), prompts.end()).size();
  };
  CHECK(distinct(0) >= 540);  // "a circle" has few wordings
  CHECK(distinct(0.5) <= 380);
  CHECK(distinct(1) == 6);
  CHECK(draw_prompts(world, {.seed = 4}, 20) == draw_prompts(world, {.seed = 4}, 20));
  CHECK(draw_prompts(world, {.seed = 4}, 20) != draw_prompts(world, {.seed = 5}, 20));
  CHECK(message_of([&] { draw_prompts(world, {}, 0); }) == "shapes: prompts must be at least one (0)");
}

TEST_CASE("shapes examples: pictures are a function of seed and index; training never holds a held-out pair") {
  const World world = tiny_world();
  std::set<std::pair<Hue, ShapeKind>> seen;
  for (int64_t i = 0; i < 600; ++i)
    for (const Object& object : draw_example(world, {.seed = 8}, i).scene.objects)
      seen.insert({object.hue, object.shape});
  CHECK(seen.size() == world.hues.size() * world.shapes.size() - world.held_out.size());
  CHECK(draw_example(world, {.seed = 8}, 77).caption == draw_example(world, {.seed = 8}, 77).caption);
  int different = 0;
  for (int64_t i = 0; i < 60; ++i)
    different += draw_example(world, {.seed = 8}, i).caption != draw_example(world, {.seed = 9}, i).caption;
  CHECK(different > 40);
}
