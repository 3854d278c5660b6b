#include "nn/pretrained/component_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "engine/io/safetensors.h"
#include "engine/require.h"
#include "nn/state_file.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 2> kStems = {"diffusion_pytorch_model", "model"};
constexpr std::string_view kEnd = ".safetensors";
constexpr std::string_view kIndexEnd = ".index.json";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename().string());
  require<IoError>(!error, "weights: cannot read the folder ({}); {}", error.message(), folder.string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The variant in the name of a file of weights or of an index: "" for the plain ones. None for other files.
/// Indices of variants are seen as STEM.safetensors.index.V.json, STEM.safetensors.V.index.json and
/// STEM.V.safetensors.index.json.
std::optional<std::string> variant_of(const std::string& name, bool& is_index) {
  for (const std::string_view stem : kStems) {
    if (!name.starts_with(stem) || name.size() == stem.size() || name[stem.size()] != '.') continue;
    std::vector<std::string> parts;
    for (size_t at = stem.size(); at < name.size();) {
      const size_t next = std::min(name.find('.', at + 1), name.size());
      parts.push_back(name.substr(at + 1, next - at - 1));
      at = next;
    }
    const auto take = [&](const char* part) {
      const auto found = std::find(parts.begin(), parts.end(), part);
      if (found == parts.end()) return false;
      parts.erase(found);
      return true;
    };
    const bool json = parts.back() == "json";
    if (!take("safetensors")) continue;
    is_index = json && take("index") && take("json");
    if (json != is_index || parts.size() > 1) continue;
    return parts.empty() ? "" : parts.front();
  }
  return std::nullopt;
}

[[noreturn]] void raise_no_weights(const fs::path& folder, const std::string& variant) {
  std::vector<std::string> pickles;
  for (const std::string& name : names_in(folder))
    for (const char* end : {".bin", ".ckpt", ".pt", ".pth"})
      if (name.ends_with(end)) pickles.push_back(name);
  if (pickles.empty())
    raise<IoError>("weights: there must be {}{}.safetensors or model{}.safetensors (none found); {}", kStems[0],
                   variant.empty() ? "" : "." + variant, variant.empty() ? "" : "." + variant, folder.string());
  raise<IoError>(
      "weights: {} is a pickle, which can run any program when it is opened and is not read here; save the model with "
      "safetensors first (in diffusers: pipeline.save_pretrained(FOLDER, safe_serialization=True)); {}",
      pickles.front(), folder.string());
}

/// NAME -> file of a weight_map.
std::map<std::string, std::string> weight_map(const fs::path& index) {
  const Json json = Json::parse(read_file(index), index.string());
  const Json* map = json.is_object() ? json.find("weight_map") : nullptr;
  require<IoError>(map && map->is_object() && map->size() > 0, "weights: index must have a weight_map; {}",
                   index.string());
  std::map<std::string, std::string> files;
  for (const JsonMember& member : map->as_object()) {
    require<IoError>(member.value.is_string(), "weights: weight_map must name a file for \"{}\"; {}", member.key,
                     index.string());
    const std::string& file = member.value.as_string();
    require<IoError>(file.ends_with(kEnd) && fs::path(file).filename() == file,
                     "weights: weight_map must name .safetensors files beside it (\"{}\"); {}", file, index.string());
    files.emplace(member.key, file);
  }
  return files;
}

std::vector<fs::path> shards_of(const fs::path& index) {
  std::vector<fs::path> shards;
  for (const auto& [name, file] : weight_map(index)) {
    const fs::path path = index.parent_path() / file;
    if (std::find(shards.begin(), shards.end(), path) == shards.end()) shards.push_back(path);
  }
  for (const fs::path& shard : shards)
    require<IoError>(is_file(shard), "weights: a shard of the index is missing ({}); {}", shard.filename().string(),
                     index.string());
  std::sort(shards.begin(), shards.end());
  return shards;
}

void check_shards(const WeightFiles& files, const std::map<std::string, fs::path>& found) {
  const std::map<std::string, std::string> map = weight_map(files.index);
  for (const auto& [name, file] : map) {
    const auto at = found.find(name);
    require<IoError>(at != found.end(), "weights: tensor \"{}\" must be in {} (it is in no shard); {}", name, file,
                     files.index.string());
    require<IoError>(at->second.filename() == file, "weights: tensor \"{}\" must be in {} (it is in {}); {}", name,
                     file, at->second.filename().string(), files.index.string());
  }
  for (const auto& [name, path] : found)
    require<IoError>(map.count(name) > 0, "weights: tensor \"{}\" of {} is not in the index; {}", name,
                     path.filename().string(), files.index.string());
}

}  // namespace

WeightFiles find_weight_files(const fs::path& folder, const std::string& variant) {
  std::optional<WeightFiles> best;
  for (const std::string& name : names_in(folder)) {
    bool is_index = false;
    const std::optional<std::string> found = variant_of(name, is_index);
    if (!found || !is_file(folder / name) || (!variant.empty() && *found != variant)) continue;
    // The plain file before its index, and both before a variant.
    const auto rank = [](const WeightFiles& files) { return (files.variant.empty() ? 0 : 2) + !files.index.empty(); };
    WeightFiles candidate{.files = {}, .index = {}, .variant = *found};
    (is_index ? candidate.index : candidate.files.emplace_back()) = folder / name;
    if (!best || rank(candidate) < rank(*best)) best = std::move(candidate);
  }
  if (!best) raise_no_weights(folder, variant);
  if (!best->index.empty()) best->files = shards_of(best->index);
  return *best;
}

StateDict load_weight_files(const WeightFiles& files) {
  if (files.index.empty()) return load_state(files.files.at(0));
  StateDict state;
  std::map<std::string, fs::path> found;
  for (const fs::path& path : files.files)
    for (NamedTensor& named : load_state(path)) {
      const auto [at, is_new] = found.emplace(named.name, path);
      require<IoError>(is_new, "weights: tensor \"{}\" is in two shards ({}, {}); {}", named.name,
                       at->second.filename().string(), path.filename().string(), files.index.string());
      state.push_back(std::move(named));
    }
  check_shards(files, found);
  return state;
}

Json read_config_file(const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  Json json = Json::parse(read_file(path), path.string());
  require<IoError>(json.is_object(), "config: must be a JSON object; {}", path.string());
  return json;
}

void load_component(Module& module, const fs::path& folder, const ComponentOptions& options) {
  const WeightFiles files = find_weight_files(folder, options.variant);
  StateDict state = load_weight_files(files);
  if (options.rename) state = options.rename(state);
  try {
    adopt_state_dict(module, state, {.dtype = options.dtype.value_or(DType::f32), .as_stored = options.as_stored});
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", (files.index.empty() ? files.files.at(0) : files.index).string(), error.what());
  }
}

void add_component(AtomicDirectory& directory, const Component& component) {
  directory.add(component.name + "/config.json", component.config.dump(2) + "\n");
  save_state(directory.file(component.name + "/" + component.stem + ".safetensors"), component.weights);
}

}  // namespace plumb
