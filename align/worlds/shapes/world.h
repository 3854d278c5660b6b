#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "align/worlds/shapes/names.h"
#include "engine/io/json.h"

namespace plumb::shapes {

/// The range of something that is drawn uniformly.
struct Range {
  double low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

/// How captions of training data are made wrong on purpose. Each is the probability a caption; they are drawn in this
/// order and independently of each other.
struct CaptionNoise {
  double swap = 0.2;    ///< one stated colour, shape or relation becomes another, or two objects exchange their colours
  double count = 0.15;  ///< of captions with a number: the number is wrong
  double drop = 0.3;    ///< one colour, object, relation or number is left out
  bool operator==(const CaptionNoise&) const = default;
};

/// Settings of the world of captioned shapes: objects of one colour on a dark ground, read back exactly by the
/// analyser. Lengths are in pixels, colours in [0, 1].
struct World {
  std::string name = "tiny";
  int64_t picture_size = 32;  ///< 32 or 64
  std::vector<ShapeKind> shapes = {ShapeKind::circle, ShapeKind::square, ShapeKind::triangle, ShapeKind::cross};
  std::vector<Hue> hues = {Hue::red, Hue::green, Hue::blue, Hue::yellow, Hue::purple, Hue::cyan};
  Range small = {10, 13};     ///< diameter of an object
  Range large = {};           ///< of a large one; both 0: there is one kind, and captions never say a size
  int64_t max_objects = 2;    ///< alike, when captions count them; other scenes have one or two
  double gap = 3;             ///< between the boxes around two objects
  Range ground = {0.1, 0.2};  ///< grey value
  double textured = 0;        ///< share of pictures whose ground has stripes or checks
  double blurry = 0.2;        ///< share of pictures that are blurred
  Range blur = {1.1, 1.5};    ///< standard deviation of their Gaussian
  double say_quality = 0.5;   ///< share of captions that say whether the picture is sharp
  double synonyms = 0.2;      ///< share of words that are not the plain one
  double extra_hues = 0.4;    ///< share of position and counting captions that also say colours
  /// Training examples of each category in a round of them. Binding two colours to two shapes is learnt last, so it
  /// is shown most.
  std::array<int64_t, kCategories> turns = {1, 1, 1, 1, 1, 3};
  CaptionNoise noise = {};
  /// Never in training data; prompt sets can ask for them.
  std::vector<std::pair<Hue, ShapeKind>> held_out = {
      {Hue::purple, ShapeKind::triangle}, {Hue::yellow, ShapeKind::cross}, {Hue::green, ShapeKind::circle}};

  bool operator==(const World&) const = default;

  static constexpr double kMargin = 1.5;  ///< pixels between an object and the border of the picture

  bool has_sizes() const { return large.high > 0; }
  bool is_held_out(Hue hue, ShapeKind shape) const;
  /// Of training example `index`: categories in order, each as often as it has turns.
  Category category_of_example(int64_t index) const;

  /// Throws ValueError naming the first setting that is impossible.
  void check() const;
};

/// 32x32, four shapes, six colours, one or two objects of 10 to 13 pixels on a plain ground: a CPU learns it.
World tiny_world();
/// 64x64, all shapes and colours, two sizes, one to three objects, textured grounds.
World full_world();

Json to_json(const World& world);
/// Members that are missing keep the values of the world named by "base" (tiny, full; else tiny). Throws ValueError
/// naming the member, for unknown ones too, and as check().
World world_from_json(const Json& json);

/// "tiny", "full", a JSON file, or a folder with a world.json. Throws IoError or ValueError naming it.
World load_world(const std::string& name_or_path);

}  // namespace plumb::shapes
