#include "apps/inspect/describe.h"

#include <algorithm>
#include <map>

#include "apps/common/exit_codes.h"
#include "apps/inspect/describe_pictures.h"
#include "diffusion/point_model.h"
#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/io/safetensors.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Json described(const char* kind, const fs::path& path) {
  Json json = Json::object();
  return json.set("kind", kind).set("path", path.string());
}

Json describe_tensors(const fs::path& path) {
  const SafetensorsFile file(path);
  const SafetensorsHeader& header = file.header();
  Json tensors = Json::array(), metadata = Json::object();
  int64_t elements = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    Json shape = Json::array(), tensor = Json::object();
    for (int64_t size : header.shape(i)) shape.push_back(size);
    const int64_t count = numel(header.shape(i));
    const uint64_t size = header.end(i) - header.begin(i);
    tensor.set("name", header.name(i)).set("dtype", safetensors_name_of(header.dtype(i))).set("shape", shape);
    tensors.push_back(tensor.set("elements", count).set("bytes", size));
    elements += count;
    bytes += size;
  }
  for (const auto& [key, value] : header.metadata()) metadata.set(key, value);
  Json json = described("safetensors", path);
  json.set("count", header.size()).set("elements", elements).set("bytes", bytes);
  return json.set("metadata", metadata).set("tensors", tensors);
}

Json describe_file(const fs::path& path) {
  Json json = describe_tensors(path);
  const Json pictures = describe_picture_file(path);
  return pictures.is_null() ? json : json.set("pictures", pictures);
}

/// Files of a folder that end in ".safetensors", sorted.
std::vector<fs::path> weight_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Json describe_checkpoint(const fs::path& path) {
  const Json manifest = verify_directory(path);
  Json json = described("checkpoint", path), files = Json::array();
  json.set("verified", true).set("step", manifest.at("step"));
  if (const Json* settings = manifest.find("run")) json.set("settings", *settings);
  for (const fs::path& file : weight_files(path)) files.push_back(describe_tensors(file));
  return json.set("files", files);
}

Json read_config(const fs::path& path) { return Json::parse(read_file(path), path.string()); }

Json describe_adapter(const fs::path& path) {
  Json json = described("adapter", path), files = Json::array();
  const bool has_manifest = is_there(path / "manifest.json");
  if (has_manifest) verify_directory(path);
  json.set("verified", has_manifest).set("config", read_config(path / "adapter_config.json"));
  for (const fs::path& file : weight_files(path)) files.push_back(describe_tensors(file));
  return json.set("files", files).set("loads_with", "plumb merge --adapter");
}

/// A component of a pipeline: a subfolder with a configuration, and weights if it has any.
Json describe_component(const fs::path& folder, const std::string& name, const std::string& class_name) {
  Json json = Json::object();
  json.set("name", name).set("class", class_name);
  for (const char* file : {"config.json", "scheduler_config.json", "tokenizer_config.json"})
    if (is_there(folder / name / file)) json.set("config", read_config(folder / name / file));
  Json weights = Json::array();
  for (const fs::path& file : weight_files(folder / name)) weights.push_back(describe_tensors(file));
  return json.set("weights", weights);
}

Json describe_model(const fs::path& path) {
  const Json index = read_config(path / "model_index.json");
  Json json = described("model", path), components = Json::array();
  json.set("class", index.at("_class_name").as_string());
  const bool has_manifest = is_there(path / "manifest.json");
  if (has_manifest) verify_directory(path);
  json.set("verified", has_manifest);
  for (const JsonMember& member : index.as_object()) {
    if (member.key.starts_with("_") || member.key.find('/') != std::string::npos || !member.value.is_array() ||
        member.value.size() != 2)
      continue;
    const Json& name = member.value[1];
    components.push_back(describe_component(path, member.key, name.is_string() ? name.as_string() : "none"));
  }
  json.set("components", components);
  if (json.at("class").as_string() == "PointDiffusionPipeline") {
    const PointModel model = load_point_model(path);  // refuses names and shapes that do not belong
    json.set("elements", count(parameters(*model.network))).set("loads_with", "plumb sample --model");
  }
  const Json pictures = describe_picture_folder(path, index);
  return pictures.is_null() ? json : json.set("pictures", pictures);
}

Json describe_run(const fs::path& path) {
  constexpr std::string_view kPrefix = "checkpoint-";
  std::map<int64_t, fs::path> checkpoints;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || name.find_first_not_of("0123456789", kPrefix.size()) != name.npos) continue;
    checkpoints.emplace(std::atoll(name.c_str() + kPrefix.size()), entry.path());
  }
  require<UsageError>(!checkpoints.empty() || is_there(path / "model/model_index.json"),
                      "inspect: {} is no checkpoint, model folder or folder of a run (no manifest.json, "
                      "model_index.json or checkpoint-STEP in it); name one of these or a safetensors file",
                      path.string());
  Json json = described("run", path), list = Json::array();
  for (const auto& [step, folder] : checkpoints) list.push_back(describe_checkpoint(folder));
  json.set("checkpoints", list);
  if (is_there(path / "model/model_index.json")) json.set("model", describe_model(path / "model"));
  return json;
}

}  // namespace

Json describe_path(const fs::path& path) {
  require<UsageError>(is_there(path), "inspect: there is no such file or folder ({}); check the path", path.string());
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return describe_file(path);
  if (is_there(path / "model_index.json")) return describe_model(path);
  if (is_there(path / "adapter_config.json")) return describe_adapter(path);
  if (is_there(path / "manifest.json")) return describe_checkpoint(path);
  return describe_run(path);
}

}  // namespace plumb
