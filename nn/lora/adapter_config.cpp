#include "nn/lora/adapter_config.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/adapter.h"

namespace plumb {
namespace {

bool ends_with_path(const std::string& path, const std::string& end) {
  return path == end || path.ends_with("." + end);
}

/// The entry of the longest key that is the path or its end; null when none is.
template <class T>
const T* find_pattern(const std::map<std::string, T>& patterns, const std::string& path) {
  const T* found = nullptr;
  size_t length = 0;
  for (const auto& [key, value] : patterns)
    if (ends_with_path(path, key) && key.size() >= length) {
      found = &value;
      length = key.size();
    }
  return found;
}

template <class T>
T most_frequent(const std::vector<T>& values) {
  return *std::max_element(values.begin(), values.end(), [&](const T& a, const T& b) {
    return std::count(values.begin(), values.end(), a) < std::count(values.begin(), values.end(), b);
  });
}

Json number(double value) {
  constexpr double kExactIntegers = 1e15;
  if (value == std::floor(value) && std::abs(value) < kExactIntegers) return Json(int64_t(value));
  return Json(value);
}

/// A member of the right kind, or an error that names file and key.
template <class Read>
auto read_member(const Json& json, const std::string& source, const char* key, Read read) {
  const Json* member = json.find(key);
  require<ValueError>(member, "{}: \"{}\" is missing", source, key);
  try {
    return read(*member);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: \"{}\": {}", source, key, error.what());
  }
}

template <class T, class Read>
std::map<std::string, T> read_patterns(const Json& json, const std::string& source, const char* key, Read read) {
  std::map<std::string, T> patterns;
  const Json* member = json.find(key);
  if (!member || member->is_null()) return patterns;
  require<ValueError>(member->is_object(), "{}: \"{}\" must be an object ({})", source, key, member->dump());
  for (const auto& [path, value] : member->as_object())
    patterns[path] = read_member(*member, source, path.c_str(), read);
  return patterns;
}

void refuse_unknown_forms(const Json& json, const std::string& source) {
  const Json* type = json.find("peft_type");
  require<ValueError>(type && type->is_string() && type->as_string() == "LORA", "{}: peft_type must be LORA ({})",
                      source, type ? type->dump() : "missing");
  for (const char* key : {"use_rslora", "use_dora", "fan_in_fan_out", "lora_bias"})
    if (const Json* member = json.find(key))
      require<ValueError>(member->is_null() || *member == Json(false), "{}: \"{}\" must be false ({})", source, key,
                          member->dump());
  if (const Json* bias = json.find("bias"))
    require<ValueError>(*bias == Json("none"), "{}: \"bias\" must be \"none\" ({})", source, bias->dump());
}

std::vector<std::string> read_targets(const Json& json, const std::string& source) {
  return read_member(json, source, "target_modules", [](const Json& list) {
    std::vector<std::string> targets;
    for (const Json& target : list.as_array()) targets.push_back(target.as_string());
    return targets;
  });
}

double read_alpha(const Json& json) { return json.as_number(); }

int64_t read_rank(const Json& json) {
  require<ValueError>(json.as_integer() > 0, "must be positive ({})", json.as_integer());
  return json.as_integer();
}

}  // namespace

int64_t AdapterConfig::rank_of(const std::string& path) const {
  const int64_t* own = find_pattern(rank_pattern, path);
  return own ? *own : rank;
}

double AdapterConfig::alpha_of(const std::string& path) const {
  const double* own = find_pattern(alpha_pattern, path);
  return own ? *own : alpha;
}

bool AdapterConfig::targets(const std::string& path) const {
  return std::any_of(target_modules.begin(), target_modules.end(),
                     [&](const std::string& target) { return ends_with_path(path, target); });
}

AdapterConfig adapter_config(Module& module, std::string_view name) {
  AdapterConfig config;
  std::vector<int64_t> ranks;
  std::vector<double> alphas;
  for (const AdaptableLayer& layer : adaptable_layers(module))
    if (const Adapter* adapter = layer.adapters->find(name)) {
      config.target_modules.push_back(layer.path);
      ranks.push_back(adapter->rank());
      alphas.push_back(adapter->alpha);
    }
  require<ValueError>(!ranks.empty(), "adapter: no layer has an adapter of this name ({})", name);
  config.rank = most_frequent(ranks);
  config.alpha = most_frequent(alphas);
  for (size_t i = 0; i < ranks.size(); ++i) {
    const std::string& path = config.target_modules[i];
    if (ranks[i] != config.rank) config.rank_pattern[path] = ranks[i];
    if (alphas[i] != config.alpha) config.alpha_pattern[path] = alphas[i];
  }
  return config;
}

Json to_json(const AdapterConfig& config) {
  Json targets = Json::array(), ranks = Json::object(), alphas = Json::object();
  for (const std::string& path : config.target_modules) targets.push_back(path);
  for (const auto& [path, rank] : config.rank_pattern) ranks.set(path, rank);
  for (const auto& [path, alpha] : config.alpha_pattern) alphas.set(path, number(alpha));
  Json json = Json::object();
  json.set("peft_type", "LORA").set("task_type", nullptr).set("base_model_name_or_path", nullptr);
  json.set("r", config.rank).set("lora_alpha", number(config.alpha)).set("lora_dropout", 0.0);
  json.set("target_modules", std::move(targets)).set("rank_pattern", std::move(ranks));
  json.set("alpha_pattern", std::move(alphas)).set("bias", "none").set("fan_in_fan_out", false);
  json.set("init_lora_weights", "gaussian").set("use_rslora", false).set("use_dora", false);
  return json.set("inference_mode", true);
}

AdapterConfig adapter_config_from_json(const Json& json, const std::string& source) {
  require<ValueError>(json.is_object(), "{}: must be a JSON object", source);
  refuse_unknown_forms(json, source);
  return {.rank = read_member(json, source, "r", read_rank),
          .alpha = read_member(json, source, "lora_alpha", read_alpha),
          .rank_pattern = read_patterns<int64_t>(json, source, "rank_pattern", read_rank),
          .alpha_pattern = read_patterns<double>(json, source, "alpha_pattern", read_alpha),
          .target_modules = read_targets(json, source)};
}

}  // namespace plumb
