#include "align/worlds/shapes/world.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::shapes;
using plumb::test::message_of;

namespace {

std::string refusal(const std::string& json) {
  return message_of([&] { world_from_json(Json::parse(json)); });
}

}  // namespace

TEST_CASE("shapes world: both presets are possible and survive JSON; a file may change one member of a base") {
  for (const World& world : {tiny_world(), full_world()}) {
    world.check();
    CHECK(world_from_json(Json::parse(to_json(world).dump(1))) == world);
  }
  CHECK_FALSE(tiny_world() == full_world());
  World expected = full_world();
  expected.noise.drop = 0.25;
  CHECK(world_from_json(Json::parse(R"({"base": "full", "noise": {"drop": 0.25}})")) == expected);
  const plumb::test::TempDir folder;
  write_file_atomic(folder / "world.json", to_json(full_world()).dump());
  CHECK(load_world((folder / "world.json").string()) == full_world());
  CHECK(load_world(folder.path().string()) == full_world());
  CHECK(load_world("tiny") == tiny_world());
}

TEST_CASE("shapes world: categories take their turns") {
  World world = tiny_world();
  world.turns = {2, 0, 1, 0, 0, 3};
  for (int64_t round = 0; round < 3; ++round) {
    std::array<int64_t, kCategories> seen = {};
    for (int64_t i = 0; i < 6; ++i) ++seen[size_t(world.category_of_example(6 * round + i))];
    CHECK(seen == world.turns);
  }
  CHECK(world.category_of_example(7) == Category::single_object);
  CHECK(world.category_of_example(8) == Category::counting);
  CHECK_THROWS_AS(world.category_of_example(-1), ValueError);
}

TEST_CASE("shapes world: what is impossible is named") {
  CHECK(refusal(R"({"turns": [1, 1]})") == "shapes: turns must hold a number for each of 6 categories ([1, 1])");
  CHECK(refusal(R"({"turns": [0, 0, 0, 0, 0, 0]})") == "shapes: turns must give some category one (all are 0)");
  CHECK(refusal(R"({"turns": [1, 1, 1, 1, 1, -1]})") == "shapes: turns must be 0 to 1000 (-1)");
  CHECK(refusal(R"({"picture_size": 48})") == "shapes: picture_size must be 32 or 64 (48)");
  CHECK(refusal(R"({"shapes": ["circle"]})") == "shapes: shapes must be at least 2 different ones (1)");
  CHECK(refusal(R"({"shapes": ["circle", "blob"]})") == "shapes: there is no shape of this name (blob)");
  CHECK(refusal(R"({"colors": ["red", "red"]})") == "shapes: colors must be at least 2 different ones (2)");
  CHECK(refusal(R"({"small": [13, 10]})") == "shapes: small must be a range inside [8, 14.5] (13 to 10)");
  CHECK(refusal(R"({"small": 10})") == "shapes: small must be [low, high] (10)");
  CHECK(refusal(R"({"gap": 5})") == "shapes: gap must be at least 2 and two objects of 13 pixels must fit into 32 (5)");
  CHECK(refusal(R"({"noise": {"drop": 1.5}})") == "shapes: noise.drop must be in [0, 1] (1.5)");
  CHECK(refusal(R"({"noise": {"dorp": 0.5}})") == "shapes: noise has an unknown member (dorp)");
  CHECK(refusal(R"({"colours": []})") == "shapes: a world has an unknown member (colours)");
  CHECK(refusal(R"({"max_objects": 4})") == "shapes: max_objects must be 1 to 3 (4)");
  CHECK(refusal(R"({"base": "huge"})") == "shapes: base must be tiny or full (huge)");
  CHECK(refusal(R"({"shapes": ["circle", "ring"], "colors": ["red", "blue"],
                    "held_out": [["red", "ring"], ["blue", "ring"]]})") ==
        "shapes: held_out must leave a colour for every shape (ring)");
  CHECK(message_of([] { load_world("nowhere.json"); }).find("nowhere.json") != std::string::npos);
}
