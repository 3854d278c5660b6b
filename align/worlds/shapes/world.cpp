#include "align/worlds/shapes/world.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

void check_share(std::string_view what, double share) {
  require<ValueError>(share >= 0 && share <= 1, "shapes: {} must be in [0, 1] ({})", what, share);
}

void check_range(std::string_view what, const Range& range, double low, double high) {
  require<ValueError>(range.low >= low && range.low <= range.high && range.high <= high,
                      "shapes: {} must be a range inside [{}, {}] ({} to {})", what, low, high, range.low, range.high);
}

template <class T>
void check_list(std::string_view what, const std::vector<T>& list, size_t least) {
  require<ValueError>(list.size() >= least && std::set<T>(list.begin(), list.end()).size() == list.size(),
                      "shapes: {} must be at least {} different ones ({})", what, least, list.size());
}

}  // namespace

bool World::is_held_out(Hue hue, ShapeKind shape) const {
  return std::find(held_out.begin(), held_out.end(), std::pair{hue, shape}) != held_out.end();
}

void World::check() const {
  require<ValueError>(picture_size == 32 || picture_size == 64, "shapes: picture_size must be 32 or 64 ({})",
                      picture_size);
  check_list("shapes", shapes, 2);
  check_list("colors", hues, 2);
  // Two of the largest objects, their gap and the margins must fit side by side.
  const double room = double(picture_size) - 2 * kMargin;
  check_range("small", small, 8, room / 2);
  if (large != Range{}) check_range("large", large, small.high + 2, room / 2);
  require<ValueError>(gap >= 2 && 2 * std::max(small.high, large.high) + gap <= room,
                      "shapes: gap must be at least 2 and two objects of {} pixels must fit into {} ({})",
                      std::max(small.high, large.high), picture_size, gap);
  require<ValueError>(max_objects >= 1 && max_objects <= 3, "shapes: max_objects must be 1 to 3 ({})", max_objects);
  for (const int64_t count : turns)
    require<ValueError>(count >= 0 && count <= 1000, "shapes: turns must be 0 to 1000 ({})", count);
  require<ValueError>(std::accumulate(turns.begin(), turns.end(), int64_t(0)) > 0,
                      "shapes: turns must give some category one (all are 0)");
  check_range("ground", ground, 0, 0.3);
  check_range("blur", blur, 0.8, small.low / 6);
  for (const auto& [what, share] : {std::pair{"textured", textured},
                                    {"blurry", blurry},
                                    {"say_quality", say_quality},
                                    {"synonyms", synonyms},
                                    {"extra_colors", extra_hues},
                                    {"noise.swap", noise.swap},
                                    {"noise.count", noise.count},
                                    {"noise.drop", noise.drop}})
    check_share(what, share);
  for (const ShapeKind shape : shapes)
    require<ValueError>(std::any_of(hues.begin(), hues.end(), [&](Hue hue) { return !is_held_out(hue, shape); }),
                        "shapes: held_out must leave a colour for every shape ({})", name_of(shape));
  for (const Hue hue : hues)
    require<ValueError>(
        std::count_if(shapes.begin(), shapes.end(), [&](ShapeKind s) { return !is_held_out(hue, s); }) > 0,
        "shapes: held_out must leave a shape for every colour ({})", name_of(hue));
}

Category World::category_of_example(int64_t index) const {
  require<ValueError>(index >= 0, "shapes: an example's index must not be negative ({})", index);
  int64_t turn = index % std::accumulate(turns.begin(), turns.end(), int64_t(0));
  size_t category = 0;
  for (; turn >= turns[category]; ++category) turn -= turns[category];
  return kAllCategories[category];
}

World tiny_world() { return {}; }

World full_world() {
  World world;
  world.name = "full";
  world.picture_size = 64;
  world.shapes = {ShapeKind::circle, ShapeKind::square, ShapeKind::triangle,
                  ShapeKind::star,   ShapeKind::ring,   ShapeKind::cross};
  world.hues = {Hue::red, Hue::green, Hue::blue, Hue::yellow, Hue::purple, Hue::cyan, Hue::orange, Hue::white};
  world.small = {13, 16};
  world.large = {20, 25};
  world.max_objects = 3;
  world.turns = {1, 1, 1, 1, 1, 1};
  world.gap = 4;
  world.ground = {0.08, 0.2};
  world.textured = 0.5;
  world.blur = {1.2, 2.0};
  world.held_out = {{Hue::purple, ShapeKind::triangle}, {Hue::yellow, ShapeKind::cross},
                    {Hue::green, ShapeKind::circle},    {Hue::white, ShapeKind::star},
                    {Hue::orange, ShapeKind::ring},     {Hue::blue, ShapeKind::square}};
  return world;
}

}  // namespace plumb::shapes
