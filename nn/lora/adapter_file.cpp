#include "nn/lora/adapter_file.h"

#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/io/file.h"
#include "engine/require.h"
#include "nn/state_file.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDiffusersFile = "pytorch_lora_weights.safetensors";
constexpr const char* kKohyaFile = "pytorch_lora_weights_kohya.safetensors";
constexpr const char* kPeftFile = "adapter_model.safetensors";
constexpr const char* kConfigFile = "adapter_config.json";
/// diffusers keeps the configuration under this key, as JSON text whose keys begin with the component.
constexpr const char* kMetadataKey = "lora_adapter_metadata";

Metadata peft_metadata(const Json& config, const std::string& component) {
  Json packed = Json::object();
  for (const auto& [key, value] : config.as_object())
    packed.set(component.empty() ? key : component + "." + key, value);
  return {{"format", "pt"}, {kMetadataKey, packed.dump(2)}};
}

/// What programs that read kohya's files show of them.
Metadata kohya_metadata(const AdapterConfig& config) {
  const bool one_rank = config.rank_pattern.empty(), one_alpha = config.alpha_pattern.empty();
  return {{"format", "pt"},
          {"ss_network_module", "networks.lora"},
          {"ss_network_dim", one_rank ? fmt::format("{}", config.rank) : "Dynamic"},
          {"ss_network_alpha", one_alpha ? fmt::format("{}", config.alpha) : "Dynamic"}};
}

fs::path file_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  for (const char* name : {kDiffusersFile, kPeftFile, kKohyaFile})
    if (fs::exists(path / name, ignored)) return path / name;
  raise<IoError>("load_adapter: the folder must hold {} or {}; {}", kDiffusersFile, kPeftFile, path.string());
}

std::optional<AdapterConfig> config_in_metadata(const Metadata& metadata, const std::string& component,
                                                const std::string& file) {
  const auto found = metadata.find(kMetadataKey);
  if (found == metadata.end()) return std::nullopt;
  const std::string source = file + ": metadata " + kMetadataKey;
  const Json packed = Json::parse(found->second, source);
  require<ValueError>(packed.is_object(), "{}: must be a JSON object", source);
  const std::string prefix = component.empty() ? "" : component + ".";
  Json config = Json::object();
  for (const auto& [key, value] : packed.as_object())
    if (key.starts_with(prefix)) config.set(key.substr(prefix.size()), value);
  if (config.size() == 0) return std::nullopt;
  return adapter_config_from_json(config, source);
}

std::optional<AdapterConfig> config_beside(const fs::path& file) {
  const fs::path path = file.parent_path() / kConfigFile;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return adapter_config_from_json(Json::parse(read_file(path), path.string()), path.string());
}

}  // namespace

void save_adapter(const fs::path& folder, Module& module, std::string_view name, const AdapterNames& names) {
  const AdapterConfig config = adapter_config(module, name);
  const Json json = to_json(config);
  const StateDict peft = adapter_state_dict(module, name, AdapterFormat::peft, names);
  const StateDict kohya = adapter_state_dict(module, name, AdapterFormat::kohya, names);
  AtomicDirectory target(folder);
  save_state(target.file(kDiffusersFile), peft, peft_metadata(json, names.component));
  save_state(target.file(kKohyaFile), kohya, kohya_metadata(config));
  target.add(kConfigFile, json.dump(2) + '\n');
  target.commit();
}

int load_adapter(Module& module, std::string_view name, const fs::path& path, const AdapterNames& names) {
  const fs::path file = file_of(path);
  const SafetensorsFile source(file);
  StateDict state;
  for (size_t i = 0; i < source.size(); ++i) state.push_back({std::string(source.header().name(i)), source.tensor(i)});
  std::optional<AdapterConfig> config;
  if (!is_kohya(state, names)) {
    config = config_in_metadata(source.header().metadata(), names.component, file.string());
    if (!config) config = config_beside(file);
  }
  try {
    return load_adapter_state(module, name, state, config, names);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", file.string(), error.what());
  }
}

}  // namespace plumb
