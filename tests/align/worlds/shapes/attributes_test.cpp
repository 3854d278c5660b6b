#include "align/worlds/shapes/attributes.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::shapes;
using namespace plumb::test;

TEST_CASE("shapes attributes: heads are what differs in a world") {
  const std::vector<ClassifierHead> heads = attribute_heads(tiny_world());
  std::vector<std::string> names;
  for (const ClassifierHead& head : heads) names.push_back(head.name);
  CHECK(names ==
        std::vector<std::string>{"objects", "left_shape", "left_color", "right_shape", "right_color", "quality"});
  CHECK(heads[0].classes == std::vector<std::string>{"1", "2"});
  CHECK(heads[1].classes == std::vector<std::string>{"circle", "square", "triangle", "cross"});
  CHECK(heads[5].classes == std::vector<std::string>{"crisp", "blurry"});
  World plain = tiny_world();
  plain.max_objects = 1, plain.blurry = 0, plain.hues = {Hue::red}, plain.held_out = {};
  const std::vector<ClassifierHead> few = attribute_heads(plain);
  CHECK(few.size() == 2);
  CHECK(attributes_of({.objects = {{ShapeKind::cross, Hue::red, 9, 9, 5}}}, plain) == std::vector<int64_t>{3, 3});
}

TEST_CASE("shapes attributes: by place, whatever the order of objects") {
  const Object left{ShapeKind::square, Hue::yellow, 8, 20, 5}, right{ShapeKind::circle, Hue::cyan, 24, 9, 5};
  const World world = tiny_world();
  const std::vector<int64_t> expected = {1, 1, 3, 0, 5, 0};
  CHECK(attributes_of({.objects = {left, right}}, world) == expected);
  CHECK(attributes_of({.objects = {right, left}}, world) == expected);
  CHECK(attributes_of({.objects = {right}, .blur = 1.2}, world) == std::vector<int64_t>{0, 0, 5, 0, 5, 1});
}

TEST_CASE("shapes attributes: refuses scenes of another world") {
  CHECK(message_of([] { attributes_of({}, tiny_world()); }) == "attributes: a scene must have 1 to 2 objects (0)");
  CHECK(message_of([] { attributes_of({.objects = {{ShapeKind::star}}}, tiny_world()); }) ==
        "attributes: the world has no shape that is star");
}
