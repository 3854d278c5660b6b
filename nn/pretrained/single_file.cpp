#include "nn/pretrained/single_file.h"

#include <algorithm>

#include "engine/require.h"
#include "nn/clip/clip_text_model.h"
#include "nn/state_file.h"
#include "nn/unet/unet2d_condition_config.h"
#include "nn/unet/unet2d_condition_model.h"
#include "nn/unet/unet2d_config.h"
#include "nn/unet/unet2d_model.h"
#include "nn/vae/autoencoder_kl.h"

namespace plumb {
namespace {

constexpr std::string_view kConfigKey = "plumb.config.";

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Some pruned files leave "text_model." out of the names of the first text encoder.
StateDict with_text_model(const StateDict& file, const LdmComponent& component) {
  const std::string prefix(component.prefix);
  StateDict renamed = file;
  for (NamedTensor& named : renamed)
    for (const char* start : {"embeddings.", "encoder.", "final_layer_norm."})
      if (named.name.starts_with(prefix + start)) named.name.insert(prefix.size(), "text_model.");
  return renamed;
}

bool is_absent(const LdmComponent& component, const StateDict& file) {
  return std::none_of(file.begin(), file.end(),
                      [&](const NamedTensor& named) { return named.name.starts_with(component.prefix); });
}

/// Leftovers below the prefix are no error.
void sort_extra(LdmFamily family, const LdmComponent& component, const std::vector<std::string>& extra,
                LoadReport& report, std::vector<std::string>& ignored) {
  for (const std::string& name : extra) {
    const std::string_view bare = std::string_view(name).substr(component.prefix.size());
    (is_ldm_leftover(family, component.part, bare) ? ignored : report.extra).push_back(name);
  }
}

}  // namespace

StateDict shapes_of_component(const std::string& name, const Json& config) {
  const auto shapes = [](auto&& module) { return shapes_of(module); };
  if (name.starts_with("text_encoder")) {
    ClipTextOptions options = clip_text_options(config);
    options.with_projection = options.with_projection || name == "text_encoder_2";
    return shapes(ClipTextModel(options, Init::shapes()));
  }
  const Json* class_name = config.find("_class_name");
  const std::string kind = class_name && class_name->is_string() ? class_name->as_string() : "";
  if (kind == "AutoencoderKL") return shapes(AutoencoderKL(autoencoder_kl_options(config), Init::shapes()));
  if (kind == "UNet2DModel") return shapes(UNet2DModel(unet2d_options(config), Init::shapes()));
  require<ValueError>(kind == "UNet2DConditionModel",
                      "config: _class_name must be UNet2DConditionModel, UNet2DModel or AutoencoderKL ({})", kind);
  return shapes(UNet2DConditionModel(unet2d_condition_options(config), Init::shapes()));
}

CarriedConfigs carried_configs(const std::filesystem::path& path) {
  CarriedConfigs configs;
  const SafetensorsFile file(path);
  for (const auto& [key, value] : file.header().metadata())
    if (key.starts_with(kConfigKey))
      configs.emplace(key.substr(kConfigKey.size()), Json::parse(value, path.string() + ": " + key));
  return configs;
}

Metadata with_configs(const CarriedConfigs& configs) {
  Metadata metadata{{"format", "pt"}};
  for (const auto& [name, config] : configs) metadata.emplace(std::string(kConfigKey) + name, config.dump());
  return metadata;
}

SingleFile split_single_file(const StateDict& given, bool strict, const CarriedConfigs& carried) {
  SingleFile result;
  result.family = ldm_family(given);
  if (const auto found = carried.find("scheduler"); found != carried.end()) result.scheduler = found->second;
  LoadReport& report = result.report;
  StateDict file = given;
  for (const LdmComponent& component : ldm_components(result.family)) {
    if (is_absent(component, file)) continue;
    if (component.part == LdmPart::clip) file = with_text_model(file, component);
    const std::string name(component.name);
    const auto told = carried.find(name);
    const Json config = told != carried.end() ? told->second : ldm_config(result.family, component, file);
    FromLdm taken = from_ldm(component.part, std::string(component.prefix), shapes_of_component(name, config), file);
    append(report.missing, taken.report.missing);
    append(report.misshaped, taken.report.misshaped);
    sort_extra(result.family, component, taken.report.extra, report, result.ignored);
    result.components.push_back({name, config, std::move(taken.state), std::string(component.stem)});
  }
  if (strict) require_match("single file", report);
  for (const NamedTensor& named : file) {
    const auto components = ldm_components(result.family);
    if (std::none_of(components.begin(), components.end(),
                     [&](const LdmComponent& each) { return named.name.starts_with(each.prefix); }))
      result.ignored.push_back(named.name);
  }
  return result;
}

SingleFile read_single_file(const std::filesystem::path& path) {
  const StateDict file = load_state(path);
  try {
    return split_single_file(file, true, carried_configs(path));
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", path.string(), error.what());
  }
}

StateDict join_single_file(LdmFamily family, const std::vector<Component>& components) {
  StateDict file;
  const auto known = ldm_components(family);
  for (const Component& component : components) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const LdmComponent& each) { return each.name == component.name; });
    require<ValueError>(found != known.end(), "single file: files of {} have no {}", name_of(family), component.name);
    for (NamedTensor& named : to_ldm(found->part, std::string(found->prefix), component.weights))
      file.push_back(std::move(named));
  }
  return file;
}

}  // namespace plumb
