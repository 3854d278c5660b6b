#include "align/worlds/shapes/scene.h"

#include <algorithm>
#include <cmath>

#include "align/worlds/shapes/draws.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

/// How much farther two objects are apart along the axis that names their relation than along the other.
constexpr double kDominance = 1.25;

std::vector<std::pair<Hue, ShapeKind>> allowed_pairs(const World& world, Pairs pairs) {
  std::vector<std::pair<Hue, ShapeKind>> list;
  for (const ShapeKind shape : world.shapes)
    for (const Hue hue : world.hues)
      if (pairs == Pairs::all || world.is_held_out(hue, shape) == (pairs == Pairs::held_out))
        list.push_back({hue, shape});
  require<ValueError>(!list.empty(), "shapes: the world has no {} pairs of colour and shape",
                      pairs == Pairs::held_out ? "held-out" : "training");
  return list;
}

/// Pairs of the objects of a scene. Both the shapes and, for color_attribution, the colours of two differ.
std::vector<std::pair<Hue, ShapeKind>> draw_pairs(const World& world, Category category, Pairs pairs, Draws& draws) {
  const auto first = draws.one_of(allowed_pairs(world, pairs));
  if (category == Category::single_object || category == Category::colors) return {first};
  if (category == Category::counting) return std::vector(size_t(1 + draws.below(world.max_objects)), first);
  std::vector<std::pair<Hue, ShapeKind>> others = allowed_pairs(world, pairs == Pairs::all ? pairs : Pairs::training);
  std::erase_if(others, [&](const auto& other) {
    return other.second == first.second || (category == Category::color_attribution && other.first == first.first);
  });
  require<ValueError>(!others.empty(), "shapes: held_out leaves no second object ({})", name_of(first.second));
  std::vector drawn = {first, draws.one_of(others)};
  if (draws.chance(0.5)) std::swap(drawn[0], drawn[1]);
  return drawn;
}

bool apart(const Object& a, const Object& b, double gap) {
  const double dx = std::abs(a.x - b.x), dy = std::abs(a.y - b.y);
  return std::max(dx, dy) >= a.radius + b.radius + gap && std::max(dx, dy) >= kDominance * std::min(dx, dy);
}

/// Places an object; false when it comes too near to another.
bool place(const World& world, Scene& scene, const std::pair<Hue, ShapeKind>& pair, Draws& draws) {
  const bool large = world.has_sizes() && draws.chance(0.5);
  const Range& diameter = large ? world.large : world.small;
  Object object{.shape = pair.second, .hue = pair.first, .radius = draws.between(diameter.low, diameter.high) / 2};
  const double low = World::kMargin + object.radius, high = double(world.picture_size) - low;
  object.x = draws.between(low, high);
  object.y = draws.between(low, high);
  for (const Object& other : scene.objects)
    if (!apart(object, other, world.gap)) return false;
  scene.objects.push_back(object);
  return true;
}

}  // namespace

std::optional<Size> size_of(const World& world, double radius) {
  if (!world.has_sizes()) return {};
  return 4 * radius < world.small.high + world.large.low ? Size::small : Size::large;
}

Relation relation_of(double dx, double dy) {
  if (std::abs(dx) >= std::abs(dy)) return dx < 0 ? Relation::left : Relation::right;
  return dy < 0 ? Relation::above : Relation::below;
}

Scene draw_scene(const World& world, Category category, const RandomKey& key, Pairs pairs) {
  constexpr int kTries = 10'000;  // a try succeeds with a probability of some percent even in the narrowest world
  Draws draws(key.fork("scene"));
  Scene scene;
  const auto content = draw_pairs(world, category, pairs, draws);
  for (int i = 0; i < kTries && scene.objects.size() < content.size(); ++i) {
    scene.objects.clear();
    for (const auto& pair : content)
      if (!place(world, scene, pair, draws)) break;
  }
  require<ValueError>(scene.objects.size() == content.size(), "shapes: {} objects do not fit into {} pixels",
                      content.size(), world.picture_size);
  scene.ground.level = draws.between(world.ground.low, world.ground.high);
  if (draws.chance(world.textured)) {
    scene.ground.pattern = draws.chance(0.5) ? Ground::Pattern::stripes : Ground::Pattern::checks;
    scene.ground.period = draws.between(3, 6);
    scene.ground.phase = draws.between(0, 12);
  }
  if (draws.chance(world.blurry)) scene.blur = draws.between(world.blur.low, world.blur.high);
  return scene;
}

}  // namespace plumb::shapes
