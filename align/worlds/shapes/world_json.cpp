#include <algorithm>

#include "align/worlds/shapes/world.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

Json json_of(const Range& range) { return Json(Json::Array{range.low, range.high}); }

Range range_of(std::string_view what, const Json& json) {
  require<ValueError>(json.is_array() && json.size() == 2, "shapes: {} must be [low, high] ({})", what, json.dump());
  return {json[0].as_number(), json[1].as_number()};
}

template <class T>
T named(std::optional<T> (*find)(std::string_view), std::string_view what, const Json& json) {
  const std::optional<T> found = find(json.as_string());
  require<ValueError>(found.has_value(), "shapes: there is no {} of this name ({})", what, json.as_string());
  return *found;
}

/// Takes the members of an object one by one, so that what is left over is unknown.
class Members {
 public:
  Members(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    require<ValueError>(json.is_object(), "shapes: {} must be an object ({})", where_, json.dump());
  }

  const Json* take(std::string_view key) {
    taken_.push_back(key);
    return json_.find(key);
  }
  void number(std::string_view key, double& value) {
    if (const Json* json = take(key)) value = json->as_number();
  }
  void integer(std::string_view key, int64_t& value) {
    if (const Json* json = take(key)) value = json->as_integer();
  }
  void range(std::string_view key, Range& value) {
    if (const Json* json = take(key)) value = range_of(key, *json);
  }
  void finish() const {
    for (const auto& [key, value] : json_.as_object())
      require<ValueError>(std::find(taken_.begin(), taken_.end(), key) != taken_.end(),
                          "shapes: {} has an unknown member ({})", where_, key);
  }

 private:
  const Json& json_;
  std::string where_;
  std::vector<std::string_view> taken_;
};

CaptionNoise noise_from_json(const Json& json, CaptionNoise noise) {
  Members members(json, "noise");
  members.number("swap", noise.swap);
  members.number("count", noise.count);
  members.number("drop", noise.drop);
  members.finish();
  return noise;
}

void read_lists(Members& members, World& world) {
  if (const Json* json = members.take("shapes")) {
    world.shapes.clear();
    for (const Json& name : json->as_array()) world.shapes.push_back(named(shape_named, "shape", name));
  }
  if (const Json* json = members.take("colors")) {
    world.hues.clear();
    for (const Json& name : json->as_array()) world.hues.push_back(named(hue_named, "colour", name));
  }
  if (const Json* json = members.take("turns")) {
    require<ValueError>(json->is_array() && json->size() == world.turns.size(),
                        "shapes: turns must hold a number for each of {} categories ({})", world.turns.size(),
                        json->dump());
    for (size_t i = 0; i < world.turns.size(); ++i) world.turns[i] = (*json)[i].as_integer();
  }
  if (const Json* json = members.take("held_out")) {
    world.held_out.clear();
    for (const Json& pair : json->as_array()) {
      require<ValueError>(pair.is_array() && pair.size() == 2, "shapes: held_out must hold [colour, shape] ({})",
                          pair.dump());
      world.held_out.push_back({named(hue_named, "colour", pair[0]), named(shape_named, "shape", pair[1])});
    }
  }
}

}  // namespace

Json to_json(const World& world) {
  Json shapes = Json::array(), colors = Json::array(), held_out = Json::array(), noise = Json::object();
  for (const ShapeKind shape : world.shapes) shapes.push_back(name_of(shape));
  for (const Hue hue : world.hues) colors.push_back(name_of(hue));
  for (const auto& [hue, shape] : world.held_out)
    held_out.push_back(Json(Json::Array{Json(name_of(hue)), Json(name_of(shape))}));
  noise.set("swap", world.noise.swap).set("count", world.noise.count).set("drop", world.noise.drop);
  Json json = Json::object();
  json.set("name", world.name).set("picture_size", world.picture_size).set("shapes", shapes).set("colors", colors);
  json.set("small", json_of(world.small)).set("large", json_of(world.large)).set("max_objects", world.max_objects);
  json.set("gap", world.gap).set("ground", json_of(world.ground)).set("textured", world.textured);
  json.set("blurry", world.blurry).set("blur", json_of(world.blur)).set("say_quality", world.say_quality);
  json.set("synonyms", world.synonyms).set("extra_colors", world.extra_hues).set("noise", noise);
  json.set("turns", Json(Json::Array(world.turns.begin(), world.turns.end())));
  return json.set("held_out", held_out);
}

World world_from_json(const Json& json) {
  Members members(json, "a world");
  const Json* base = members.take("base");
  require<ValueError>(!base || base->as_string() == "tiny" || base->as_string() == "full",
                      "shapes: base must be tiny or full ({})", base ? base->as_string() : "");
  World world = base && base->as_string() == "full" ? full_world() : tiny_world();
  if (const Json* name = members.take("name")) world.name = name->as_string();
  members.integer("picture_size", world.picture_size);
  read_lists(members, world);
  members.range("small", world.small);
  members.range("large", world.large);
  members.integer("max_objects", world.max_objects);
  members.number("gap", world.gap);
  members.range("ground", world.ground);
  members.number("textured", world.textured);
  members.number("blurry", world.blurry);
  members.range("blur", world.blur);
  members.number("say_quality", world.say_quality);
  members.number("synonyms", world.synonyms);
  members.number("extra_colors", world.extra_hues);
  if (const Json* noise = members.take("noise")) world.noise = noise_from_json(*noise, world.noise);
  members.finish();
  world.check();
  return world;
}

World load_world(const std::string& name_or_path) {
  if (name_or_path == "tiny") return tiny_world();
  if (name_or_path == "full") return full_world();
  constexpr uint64_t kMostBytes = 1 << 20;
  std::filesystem::path path = name_or_path;
  if (std::filesystem::is_directory(path)) path /= "world.json";
  return world_from_json(Json::parse(read_file(path, kMostBytes), path.string()));
}

}  // namespace plumb::shapes
