#include "align/worlds/shapes/scene.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace plumb;
using namespace plumb::shapes;

TEST_CASE("shapes scene: objects fit, keep apart and suit the category") {
  constexpr uint64_t kScenes = 300;
  for (const World& world : {tiny_world(), full_world()})
    for (const Category category : kAllCategories) {
      std::set<size_t> counts;
      bool blurred = false, textured = false;
      for (uint64_t i = 0; i < kScenes; ++i) {
        const Scene scene = draw_scene(world, category, RandomKey{.seed = 7}.at_sample(i));
        counts.insert(scene.objects.size());
        blurred |= scene.blur > 0;
        textured |= scene.ground.pattern != Ground::Pattern::plain;
        for (const Object& object : scene.objects) {
          CHECK_FALSE(world.is_held_out(object.hue, object.shape));
          for (const double at : {object.x, object.y}) {
            CHECK(at - object.radius >= World::kMargin);
            CHECK(at + object.radius <= double(world.picture_size) - World::kMargin);
          }
        }
        for (size_t a = 0; a + 1 < scene.objects.size(); ++a) {
          const Object &one = scene.objects[a], &other = scene.objects[a + 1];
          const double dx = std::abs(one.x - other.x), dy = std::abs(one.y - other.y);
          CHECK(std::max(dx, dy) >= one.radius + other.radius + world.gap);
          CHECK((category == Category::counting) == (one.shape == other.shape));
          if (category == Category::color_attribution) CHECK(one.hue != other.hue);
        }
      }
      const bool single = category == Category::single_object || category == Category::colors;
      const std::set<size_t> one{1}, two{2},
          many = world.max_objects == 2 ? std::set<size_t>{1, 2} : std::set<size_t>{1, 2, 3};
      CHECK(counts == (category == Category::counting ? many : single ? one : two));
      CHECK(blurred);
      CHECK(textured == (world.textured > 0));
    }
}

TEST_CASE("shapes scene: held-out pairs on demand, and the same key gives the same scene") {
  const World world = tiny_world();
  for (uint64_t i = 0; i < 50; ++i) {
    const RandomKey key = RandomKey{.seed = 3}.at_sample(i);
    const Scene scene = draw_scene(world, Category::color_attribution, key, Pairs::held_out);
    CHECK(std::any_of(scene.objects.begin(), scene.objects.end(),
                      [&](const Object& o) { return world.is_held_out(o.hue, o.shape); }));
    CHECK(draw_scene(world, Category::color_attribution, key, Pairs::held_out).objects[0].x == scene.objects[0].x);
  }
}

TEST_CASE("shapes scene: relations follow the axis of the larger distance, y downwards") {
  CHECK(relation_of(-3, 2) == Relation::left);
  CHECK(relation_of(3, -2) == Relation::right);
  CHECK(relation_of(2, -3) == Relation::above);
  CHECK(relation_of(-2, 3) == Relation::below);
  for (int i = 0; i < 4; ++i) CHECK(inverse(inverse(Relation(i))) == Relation(i));
  CHECK(inverse(Relation::left) == Relation::right);
  CHECK(inverse(Relation::above) == Relation::below);
  CHECK_FALSE(size_of(tiny_world(), 6));
  CHECK(size_of(full_world(), 8) == Size::small);
  CHECK(size_of(full_world(), 10) == Size::large);
}
