#include "align/worlds/shapes/names.h"

#include <algorithm>

namespace plumb::shapes {
namespace {

const std::array<Words, kShapeKinds> kShapeWords = {
    Words{"circle", "disc"}, {"square", "box"}, {"triangle", "wedge"}, {"star"}, {"ring", "hoop"}, {"cross", "plus"}};
const std::array<Words, kHues> kHueWords = {Words{"red", "scarlet"}, {"green", "emerald"}, {"blue", "azure"},
                                            {"yellow", "golden"},    {"purple", "violet"}, {"cyan", "turquoise"},
                                            {"orange", "amber"},     {"white", "ivory"}};
const std::array<Words, 2> kSizeWords = {Words{"small", "little"}, {"large", "big"}};
const std::array<Words, 2> kQualityWords = {Words{"sharp", "crisp"}, {"blurry", "blurred"}};
const std::array<Words, 4> kRelationWords = {
    Words{"left of", "to the left of"}, {"right of", "to the right of"}, {"above", "over"}, {"below", "under"}};
const std::array<Words, 4> kCountWords = {
    Words{"one", "a single"}, {"two", "a pair of"}, {"three", "a trio of"}, {"four"}};
constexpr std::array<std::string_view, kCategories> kCategoryNames = {
    "single_object", "two_objects", "counting", "colors", "position", "color_attribution"};
constexpr std::array<std::string_view, 4> kRelationNames = {"left", "right", "above", "below"};

// Far apart in direction as seen from a dark ground, so that an edge, a mixture of both, keeps its hue.
constexpr std::array<Rgb, kHues> kColors = {{{0.92, 0.08, 0.10},
                                             {0.08, 0.72, 0.14},
                                             {0.12, 0.26, 0.96},
                                             {0.96, 0.90, 0.08},
                                             {0.66, 0.10, 0.86},
                                             {0.08, 0.86, 0.92},
                                             {1.00, 0.52, 0.02},
                                             {0.97, 0.97, 0.97}}};

template <class E, size_t N>
std::optional<E> named(const std::array<Words, N>& table, std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (table[i][0] == name) return E(i);
  return {};
}

}  // namespace

const Words& words_of(ShapeKind shape) { return kShapeWords[size_t(shape)]; }
const Words& words_of(Hue hue) { return kHueWords[size_t(hue)]; }
const Words& words_of(Size size) { return kSizeWords[size_t(size)]; }
const Words& words_of(Quality quality) { return kQualityWords[size_t(quality)]; }
const Words& words_of(Relation relation) { return kRelationWords[size_t(relation)]; }
const Words& words_of_count(int64_t count) { return kCountWords[size_t(std::clamp<int64_t>(count, 1, 4) - 1)]; }

Rgb rgb_of(Hue hue) { return kColors[size_t(hue)]; }

std::string_view name_of(ShapeKind shape) { return words_of(shape)[0]; }
std::string_view name_of(Hue hue) { return words_of(hue)[0]; }
std::string_view name_of(Quality quality) { return quality == Quality::crisp ? "crisp" : "blurry"; }
std::string_view name_of(Relation relation) { return kRelationNames[size_t(relation)]; }
std::string_view name_of(Category category) { return kCategoryNames[size_t(category)]; }

std::optional<ShapeKind> shape_named(std::string_view name) { return named<ShapeKind>(kShapeWords, name); }
std::optional<Hue> hue_named(std::string_view name) { return named<Hue>(kHueWords, name); }

Relation inverse(Relation relation) { return Relation(int(relation) ^ 1); }

}  // namespace plumb::shapes
