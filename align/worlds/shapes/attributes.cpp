#include "align/worlds/shapes/attributes.h"

#include <algorithm>
#include <string>

#include "engine/require.h"

namespace plumb::shapes {
namespace {

template <class T>
int64_t place_of(const std::vector<T>& list, T value, const char* what) {
  const auto found = std::find(list.begin(), list.end(), value);
  require<ValueError>(found != list.end(), "attributes: the world has no {} that is {}", what, name_of(value));
  return found - list.begin();
}

bool has_quality(const World& world) { return world.blurry > 0 && world.blurry < 1; }

}  // namespace

std::vector<ClassifierHead> attribute_heads(const World& world) {
  std::vector<std::string> counts, shapes, colors;
  for (int64_t n = 1; n <= world.max_objects; ++n) counts.push_back(std::to_string(n));
  for (ShapeKind shape : world.shapes) shapes.emplace_back(name_of(shape));
  for (Hue hue : world.hues) colors.emplace_back(name_of(hue));
  std::vector<ClassifierHead> heads = {{"objects", counts}};
  for (const char* side : {"left", "right"}) {
    heads.push_back({std::string(side) + "_shape", shapes});
    heads.push_back({std::string(side) + "_color", colors});
  }
  if (has_quality(world))
    heads.push_back({"quality", {std::string(name_of(Quality::crisp)), std::string(name_of(Quality::blurry))}});
  std::erase_if(heads, [](const ClassifierHead& head) { return head.classes.size() < 2; });
  return heads;
}

std::vector<int64_t> attributes_of(const Scene& scene, const World& world) {
  const int64_t count = int64_t(scene.objects.size());
  require<ValueError>(count >= 1 && count <= world.max_objects, "attributes: a scene must have 1 to {} objects ({})",
                      world.max_objects, count);
  const auto further_left = [](const Object& a, const Object& b) { return a.x < b.x; };
  const Object& left = *std::min_element(scene.objects.begin(), scene.objects.end(), further_left);
  const Object& right = *std::max_element(scene.objects.begin(), scene.objects.end(), further_left);
  std::vector<int64_t> attributes;
  if (world.max_objects > 1) attributes.push_back(count - 1);
  for (const Object* object : {&left, &right}) {
    if (world.shapes.size() > 1) attributes.push_back(place_of(world.shapes, object->shape, "shape"));
    if (world.hues.size() > 1) attributes.push_back(place_of(world.hues, object->hue, "color"));
  }
  if (has_quality(world)) attributes.push_back(int64_t(scene.quality()));
  return attributes;
}

}  // namespace plumb::shapes
