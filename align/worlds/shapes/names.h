#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// What the world of shapes is made of, and the words for it. The first word of a list is the plain one, the others are
// synonyms.

namespace plumb::shapes {

enum class ShapeKind : uint8_t { circle, square, triangle, star, ring, cross };
enum class Hue : uint8_t { red, green, blue, yellow, purple, cyan, orange, white };
enum class Size : uint8_t { small, large };
enum class Quality : uint8_t { crisp, blurry };
/// Of the first object to the second. Above is nearer to the top of the picture.
enum class Relation : uint8_t { left, right, above, below };
/// The tasks of GenEval (Ghosh et al. 2023).
enum class Category : uint8_t { single_object, two_objects, counting, colors, position, color_attribution };

inline constexpr int kShapeKinds = 6, kHues = 8, kCategories = 6;
inline constexpr std::array<Category, kCategories> kAllCategories = {
    Category::single_object, Category::two_objects, Category::counting,
    Category::colors,        Category::position,    Category::color_attribution};

using Words = std::vector<std::string_view>;
const Words& words_of(ShapeKind shape);
const Words& words_of(Hue hue);
const Words& words_of(Size size);
const Words& words_of(Quality quality);
const Words& words_of(Relation relation);
/// "two", "pair of"; 1 to 4.
const Words& words_of_count(int64_t count);

/// Red, green and blue in [0, 1].
using Rgb = std::array<double, 3>;
Rgb rgb_of(Hue hue);

std::string_view name_of(ShapeKind shape);
std::string_view name_of(Hue hue);
std::string_view name_of(Quality quality);
std::string_view name_of(Relation relation);
std::string_view name_of(Category category);
/// By its plain name; empty for another word.
std::optional<ShapeKind> shape_named(std::string_view name);
std::optional<Hue> hue_named(std::string_view name);

/// Left for right, above for below.
Relation inverse(Relation relation);

}  // namespace plumb::shapes
