#include "diffusion/pipeline/pipeline.h"
#include "diffusion/pipeline/pipeline_class.h"
#include "engine/io/directory.h"
#include "engine/require.h"
#include "nn/pretrained/component_folder.h"

namespace plumb {
namespace {

/// diffusers reads it to decide how old a folder is; this is the version our folders were tried with.
constexpr const char* kDiffusersVersion = "0.42.1";

Json entry(const char* library, std::string_view name) {
  Json pair = Json::array();
  pair.push_back(library), pair.push_back(name);
  return pair;
}

/// A component that diffusers' class knows and this folder does not have.
Json none() {
  Json pair = Json::array();
  pair.push_back(Json()), pair.push_back(Json());
  return pair;
}

void require_part(bool there, const Pipeline& pipeline, std::string_view name) {
  require<ValueError>(there, "save pipeline: a {} needs a {}", pipeline.class_name, name);
}

void add_weights(AtomicDirectory& target, const std::string& name, Json config, Module& module, const char* stem) {
  if (config.find("_class_name")) config.set("_diffusers_version", kDiffusersVersion);
  add_component(target, {.name = name, .config = std::move(config), .weights = state_dict(module), .stem = stem});
}

bool has_tokenizer(const Pipeline& pipeline, const std::string& name) {
  return pipeline.tokenizer_files.count(name + "/vocab.json") > 0 ||
         pipeline.tokenizer_files.count(name + "/tokenizer.json") > 0;
}

/// Text encoders and tokenizers.
void add_text(AtomicDirectory& target, Json& index, const Pipeline& pipeline, const PipelineClass& known) {
  for (int i = 0; i < known.text_encoders; ++i) {
    const std::string end = i == 0 ? "" : "_2", encoder = "text_encoder" + end, tokenizer = "tokenizer" + end;
    const auto& model = i == 0 ? pipeline.text_encoder : pipeline.text_encoder_2;
    require_part(model || known.optional_text, pipeline, encoder);
    if (model) {
      index.set(encoder, entry("transformers", i == 0 ? "CLIPTextModel" : "CLIPTextModelWithProjection"));
      add_weights(target, encoder, config_of(model->options()), *model, "model");
    } else {
      index.set(encoder, none());
    }
    const bool has = has_tokenizer(pipeline, tokenizer);
    index.set(tokenizer, has ? entry("transformers", "CLIPTokenizer") : none());
  }
  for (const auto& [name, bytes] : pipeline.tokenizer_files) target.add(name, bytes);
}

}  // namespace

void save_pipeline(const std::filesystem::path& folder, const Pipeline& pipeline) {
  const PipelineClass& known = pipeline_class(pipeline.class_name, folder.string());
  require_part(bool(pipeline.unet), pipeline, "unet");
  require_part(known.vae.empty() || pipeline.vae, pipeline, "vae");
  AtomicDirectory target(folder);
  Json index = Json::object();
  index.set("_class_name", pipeline.class_name).set("_diffusers_version", kDiffusersVersion);
  if (known.text_encoders > 1) index.set("force_zeros_for_empty_prompt", pipeline.force_zeros_for_empty_prompt);
  if (known.text_encoders > 0 && !known.vae.empty()) {
    for (const char* name : {"feature_extractor", "image_encoder"}) index.set(name, none());
    if (known.text_encoders == 1) index.set("safety_checker", none()).set("requires_safety_checker", false);
  }
  index.set("scheduler", entry("diffusers", pipeline.scheduler.class_name));
  add_text(target, index, pipeline, known);
  const Json config = pipeline.unet->config();
  index.set("unet", entry("diffusers", config.at("_class_name").as_string()));
  add_weights(target, "unet", config, *pipeline.unet, "diffusion_pytorch_model");
  if (!known.vae.empty()) {
    const std::string name(known.vae);
    index.set(name, entry("diffusers", "AutoencoderKL"));
    add_weights(target, name, config_of(pipeline.vae->options()), *pipeline.vae, "diffusion_pytorch_model");
  }
  Json scheduler = to_json(pipeline.scheduler);
  target.add("scheduler/scheduler_config.json", scheduler.set("_diffusers_version", kDiffusersVersion).dump(2) + "\n");
  target.add("model_index.json", index.dump(2) + "\n");
  target.commit();
}

std::vector<PipelineModule> modules_of(const Pipeline& pipeline) {
  std::vector<PipelineModule> modules;
  const auto put = [&](const char* name, Module* module) {
    if (module) modules.push_back({name, module});
  };
  put("unet", pipeline.unet.get());
  put("vae", pipeline.vae.get());
  put("text_encoder", pipeline.text_encoder.get());
  put("text_encoder_2", pipeline.text_encoder_2.get());
  return modules;
}

void to_device(const Pipeline& pipeline, Device device) {
  for (const PipelineModule& each : modules_of(pipeline)) to_device(*each.module, device);
}

}  // namespace plumb
