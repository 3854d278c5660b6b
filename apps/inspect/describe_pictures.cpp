#include "apps/inspect/describe_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/inspect/describe.h"
#include "diffusion/pipeline/pipeline_class.h"
#include "engine/error.h"
#include "nn/clip/clip_names.h"
#include "nn/pretrained/single_file.h"
#include "nn/state_file.h"
#include "nn/vae/old_names.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

Json list_of(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.push_back(name);
  return list;
}

int64_t elements_of(const StateDict& state) {
  int64_t total = 0;
  for (const NamedTensor& named : state) total += named.tensor.numel();
  return total;
}

Json dtypes_of(const StateDict& state) {
  std::set<std::string> names;
  for (const NamedTensor& named : state) names.insert(name_of(named.tensor.dtype()));
  return list_of({names.begin(), names.end()});
}

void set_report(Json& json, const LoadReport& report) {
  json.set("missing", list_of(report.missing)).set("extra", list_of(report.extra));
  json.set("misshaped", list_of(report.misshaped));
}

bool fits(const LoadReport& report) {
  return report.missing.empty() && report.extra.empty() && report.misshaped.empty();
}

Json network_json(const std::string& name, const StateDict& state) {
  Json json = Json::object();
  return json.set("name", name).set("elements", elements_of(state)).set("dtypes", dtypes_of(state));
}

/// One network of a folder. `fit` becomes false when it would not load.
Json describe_network(const fs::path& folder, const std::string& name, bool& fit) {
  Json json = Json::object();
  json.set("name", name);
  try {
    const StateDict stored = load_weight_files(find_weight_files(folder / name));
    const bool text = name.starts_with("text_encoder");
    const StateDict state = text ? with_clip_text_names(stored) : with_new_attention_names(stored);
    json = network_json(name, state);
    const LoadReport report = compare_names(shapes_of_component(name, read_config_file(folder / name)), state);
    set_report(json, report);
    fit = fit && fits(report);
  } catch (const Error& error) {
    json.set("problem", error.what());
    fit = false;
  }
  return json;
}

/// By what the text encoders look like.
std::string family_of(const PipelineClass& known, const fs::path& folder) {
  if (known.text_encoders == 0 || known.vae.empty()) return "";
  if (known.text_encoders == 2) return "SDXL";
  try {
    const Json config = read_config_file(folder / "unet");
    const Json* linear = config.find("use_linear_projection");
    return linear && !linear->is_null() && linear->as_bool() ? "SD2" : "SD1";
  } catch (const Error&) {
    return "";
  }
}

Json folder_readers(const PipelineClass& known, const fs::path& folder) {
  Json readers = Json::array();
  readers.push_back("plumb");
  if (known.text_encoders > 0 && known.vae.empty()) {  // diffusers has no such pipeline
    readers.push_back("diffusers and transformers (each component by itself)");
    return readers;
  }
  readers.push_back("diffusers (" + std::string(known.name) + ".from_pretrained)");
  std::error_code ignored;
  const bool plain = fs::is_regular_file(folder / "unet" / "diffusion_pytorch_model.safetensors", ignored);
  if (known.text_encoders > 0 && plain) readers.push_back("stable-diffusion.cpp (-m FOLDER)");
  if (known.text_encoders > 0) readers.push_back("ComfyUI (after plumb convert)");
  return readers;
}

/// "  3 missing: a, b, c" of one kind; "" without any.
std::string misfit_line(const Json& json, const char* kind) {
  const Json* names = json.find(kind);
  if (!names || names->size() == 0) return "";
  constexpr size_t kMost = 12;
  std::string text = fmt::format("    {} {}:", names->size(), kind);
  for (size_t i = 0; i < std::min(names->size(), kMost); ++i) text += " " + (*names)[i].as_string();
  return text + (names->size() > kMost ? fmt::format(" and {} more\n", names->size() - kMost) : "\n");
}

std::string joined(const Json& list) {
  std::string text;
  for (const Json& each : list.as_array()) text += (text.empty() ? "" : ", ") + each.as_string();
  return text;
}

}  // namespace

Json describe_picture_folder(const fs::path& folder, const Json& index) {
  const auto classes = pipeline_classes();
  const Json* name = index.find("_class_name");
  const auto known = std::find_if(classes.begin(), classes.end(), [&](const PipelineClass& each) {
    return name && name->is_string() && name->as_string() == each.name;
  });
  if (known == classes.end()) return Json();
  Json networks = Json::array();
  int64_t total = 0;
  bool fit = true;
  for (const std::string& part :
       {std::string("unet"), std::string(known->vae), std::string("text_encoder"), std::string("text_encoder_2")}) {
    const Json* entry = part.empty() ? nullptr : index.find(part);
    if (!entry || !entry->is_array() || entry->size() != 2 || !(*entry)[1].is_string()) continue;
    Json network = describe_network(folder, part, fit);
    if (const Json* elements = network.find("elements")) total += elements->as_integer();
    networks.push_back(std::move(network));
  }
  Json json = Json::object();
  json.set("family", family_of(*known, folder)).set("elements", total).set("networks", networks);
  return json.set("loads_with", fit ? folder_readers(*known, folder) : Json::array());
}

Json describe_picture_file(const fs::path& path) {
  const StateDict file = load_state(path);
  const bool ours = std::any_of(file.begin(), file.end(), [](const NamedTensor& named) {
    return named.name.starts_with("model.diffusion_model.");
  });
  if (!ours) return Json();
  Json json = Json::object(), networks = Json::array(), readers = Json::array();
  try {
    const CarriedConfigs carried = carried_configs(path);
    const SingleFile parts = split_single_file(file, false, carried);
    int64_t total = 0;
    for (const Component& part : parts.components) {
      networks.push_back(network_json(part.name, part.weights));
      total += elements_of(part.weights);
    }
    json.set("family", name_of(parts.family)).set("elements", total).set("networks", networks);
    set_report(json, parts.report);
    json.set("ignored", list_of(parts.ignored));
    if (fits(parts.report)) readers.push_back("plumb");
    // Others go by names and shapes, and would make another network of it.
    const bool is_plain = std::none_of(parts.components.begin(), parts.components.end(),
                                       [&](const Component& part) { return carried.count(part.name) > 0; });
    if (fits(parts.report) && is_plain)
      for (const char* reader :
           {"ComfyUI (models/checkpoints)", "stable-diffusion.cpp (-m FILE)", "diffusers (from_single_file)"})
        readers.push_back(reader);
  } catch (const ValueError& error) {
    json.set("family", "").set("elements", 0).set("networks", networks).set("problem", error.what());
  }
  return json.set("loads_with", readers);
}

std::string format_picture_model(const Json& model) {
  std::string text;
  const std::string& family = model.at("family").as_string();
  if (!family.empty()) text += fmt::format("  family: {}\n", family);
  const auto put_misfits = [&](const Json& json) {
    for (const char* kind : {"missing", "extra", "misshaped"}) text += misfit_line(json, kind);
    if (const Json* problem = json.find("problem")) text += fmt::format("    {}\n", problem->as_string());
  };
  for (const Json& network : model.at("networks").as_array()) {
    const Json* elements = network.find("elements");
    text += fmt::format(
        "  {}: {}\n", network.at("name").as_string(),
        elements ? fmt::format("{} parameters, {}", grouped(elements->as_integer()), joined(network.at("dtypes")))
                 : "cannot be read");
    put_misfits(network);
  }
  put_misfits(model);
  if (const Json* ignored = model.find("ignored"); ignored && ignored->size() > 0)
    text += fmt::format("  {} tensors are no part of the model ({}{})\n", ignored->size(), (*ignored)[0].as_string(),
                        ignored->size() > 1 ? ", …" : "");
  const std::string readers = joined(model.at("loads_with"));
  return text + fmt::format("  loads with: {}\n", readers.empty() ? "nothing as it is" : readers);
}

}  // namespace plumb
