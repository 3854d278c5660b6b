#pragma once

#include <optional>
#include <vector>

#include "align/worlds/shapes/world.h"
#include "engine/random/random_key.h"

namespace plumb::shapes {

/// One object; its outline lies within `radius` of the centre along both axes. Pixels, y downwards, the picture's
/// corner at (0, 0).
struct Object {
  ShapeKind shape = ShapeKind::circle;
  Hue hue = Hue::red;
  double x = 0, y = 0, radius = 0;
};

/// A dark grey with stripes or checks of a slightly different grey, or without.
struct Ground {
  enum class Pattern : uint8_t { plain, stripes, checks } pattern = Pattern::plain;
  double level = 0.15;
  double period = 4;  ///< pixels of one stripe or check
  double phase = 0;   ///< pixels
};

struct Scene {
  std::vector<Object> objects = {};
  Ground ground = {};
  double blur = 0;  ///< standard deviation in pixels; 0: crisp

  Quality quality() const { return blur > 0 ? Quality::blurry : Quality::crisp; }
};

/// Whether an object counts as large; nothing in a world of one size.
std::optional<Size> size_of(const World& world, double radius);

/// Where `a` lies as seen from `b`: along the axis on which they are farther apart.
Relation relation_of(double dx, double dy);
inline Relation relation_of(const Object& a, const Object& b) { return relation_of(a.x - b.x, a.y - b.y); }

/// Which pairs of colour and shape a scene may hold.
enum class Pairs { training, held_out, all };

/// A scene that a caption of this category describes: one object (single_object, colors), one to max_objects that are
/// alike (counting), two of different shapes (two_objects, position, color_attribution; of different colours for the
/// last). With Pairs::held_out the first object's pair is a held-out one. A function of its arguments.
Scene draw_scene(const World& world, Category category, const RandomKey& key, Pairs pairs = Pairs::training);

}  // namespace plumb::shapes
