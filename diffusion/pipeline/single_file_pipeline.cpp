#include <fmt/format.h>

#include <algorithm>

#include "diffusion/pipeline/pipeline.h"
#include "diffusion/pipeline/pipeline_class.h"
#include "diffusion/pipeline/pipeline_parts.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/pretrained/single_file.h"
#include "nn/state_file.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// The family's published schedule.
SchedulerConfig published_schedule(LdmFamily family, std::optional<Prediction> prediction) {
  Json json = Json::object();
  const char* kind = family == LdmFamily::sd1   ? "PNDMScheduler"
                     : family == LdmFamily::sd2 ? "DDIMScheduler"
                                                : "EulerDiscreteScheduler";
  json.set("_class_name", kind).set("num_train_timesteps", 1000).set("beta_schedule", "scaled_linear");
  json.set("beta_start", 0.00085).set("beta_end", 0.012).set("steps_offset", 1).set("timestep_spacing", "leading");
  json.set("prediction_type", name_of(prediction.value_or(Prediction::epsilon)));
  if (family == LdmFamily::sd1) json.set("skip_prk_steps", true);
  if (family == LdmFamily::sd2) json.set("clip_sample", false);
  if (family != LdmFamily::sdxl) json.set("set_alpha_to_one", false);
  return scheduler_config(json);
}

void adopt(Module& module, Component& component, const LoadPipelineOptions& options) {
  if (!options.weights) return;
  adopt_state_dict(module, component.weights,
                   {.dtype = options.dtype.value_or(DType::f32), .as_stored = options.as_stored});
  component.weights.clear();
}

std::unique_ptr<ClipTextModel> text_model(Component& component, bool second, const LoadPipelineOptions& options) {
  ClipTextOptions sizes = clip_text_options(component.config);
  sizes.with_projection = second;
  auto model = std::make_unique<ClipTextModel>(sizes, Init::shapes());
  adopt(*model, component, options);
  return model;
}

void place(Pipeline& pipeline, Component& component, const LoadPipelineOptions& options) {
  if (component.name == "unet") {
    pipeline.unet = make_picture_denoiser(component.config, Init::shapes());
    adopt(*pipeline.unet, component, options);
  } else if (component.name == "vae") {
    pipeline.vae = std::make_unique<AutoencoderKL>(autoencoder_kl_options(component.config), Init::shapes());
    adopt(*pipeline.vae, component, options);
  } else if (component.name == "text_encoder") {
    pipeline.text_encoder = text_model(component, false, options);
  } else {
    pipeline.text_encoder_2 = text_model(component, true, options);
  }
}

void note_what_is_missing(const SingleFile& file, const LoadPipelineOptions& options, Pipeline& pipeline) {
  if (options.tokenizer.empty())
    pipeline.notes.push_back("a single file has no tokenizer: give --tokenizer FOLDER (vocab.json and merges.txt)");
  if (!options.prediction)
    pipeline.notes.push_back(
        "a single file does not say what it predicts: epsilon is assumed; give --prediction_type v_prediction for "
        "models trained so (SD 2 at 768 pixels)");
  for (const LdmComponent& component : ldm_components(file.family))
    if (std::none_of(file.components.begin(), file.components.end(),
                     [&](const Component& each) { return each.name == component.name; }))
      pipeline.notes.push_back(fmt::format("the file holds no {}", component.name));
  if (!file.ignored.empty())
    pipeline.notes.push_back(fmt::format("{} tensors are not part of the model ({}{})", file.ignored.size(),
                                         file.ignored.front(), file.ignored.size() > 1 ? ", …" : ""));
}

void require_ldm(bool fits, const Pipeline& pipeline, const char* why) {
  require<ValueError>(fits, "single file: a {} has no such form ({}); write a folder", pipeline.class_name, why);
}

/// What tells the families apart.
LdmFamily family_to_write(const Pipeline& pipeline) {
  require_ldm(pipeline.class_name.starts_with("StableDiffusion") && pipeline.unet, pipeline, "no Stable Diffusion");
  if (pipeline.class_name.starts_with("StableDiffusionXL")) return LdmFamily::sdxl;
  if (pipeline.text_encoder)
    return pipeline.text_encoder->options().hidden_act == "gelu" ? LdmFamily::sd2 : LdmFamily::sd1;
  const Json config = pipeline.unet->config();
  const Json* linear = config.find("use_linear_projection");
  return linear && !linear->is_null() && linear->as_bool() ? LdmFamily::sd2 : LdmFamily::sd1;
}

/// A setting of each level; one value stands for all.
std::vector<std::string> per_level(const Json& config, const char* key, size_t levels) {
  const Json* value = config.find(key);
  const std::string all = value ? value->dump() : "null";
  if (!value || !value->is_array()) return std::vector<std::string>(levels, all);
  std::vector<std::string> list;
  for (const Json& each : value->as_array()) list.push_back(each.dump());
  return list;
}

/// Readers take the sizes from names and shapes: a network they would read otherwise must not be written.
void check_readable(const StateDict& file, const Json& config) {
  const SingleFile read = split_single_file(file);
  const Json& found = read.components.at(0).config;
  const size_t levels = config.at("block_out_channels").size();
  for (const char* key : {"attention_head_dim", "norm_num_groups", "addition_time_embed_dim", "resnet_time_scale_shift",
                          "freq_shift", "flip_sin_to_cos", "act_fn"}) {
    const auto wrote = per_level(config, key, levels), reads = per_level(found, key, levels);
    require<ValueError>(wrote == reads, "single file: readers of such files take {} to be {} ({}); write a folder", key,
                        fmt::join(reads, ", "), fmt::join(wrote, ", "));
  }
}

}  // namespace

Pipeline load_single_file(const fs::path& path, const LoadPipelineOptions& options) {
  SingleFile file = read_single_file(path);
  Pipeline pipeline;
  pipeline.class_name = file.family == LdmFamily::sdxl ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline";
  pipeline.scheduler = published_schedule(file.family, options.prediction);
  try {
    for (Component& component : file.components) place(pipeline, component, options);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", path.string(), error.what());
  }
  if (!options.tokenizer.empty()) load_tokenizers(options.tokenizer, file.family == LdmFamily::sdxl, pipeline);
  note_what_is_missing(file, options, pipeline);
  return pipeline;
}

void save_single_file(const fs::path& path, const Pipeline& pipeline) {
  const LdmFamily family = family_to_write(pipeline);
  std::vector<Component> components;
  const auto put = [&](const char* name, Json config, Module* module) {
    components.push_back({.name = name, .config = std::move(config), .weights = state_dict(*module)});
  };
  put("unet", pipeline.unet->config(), pipeline.unet.get());
  if (pipeline.vae) put("vae", config_of(pipeline.vae->options()), pipeline.vae.get());
  if (pipeline.text_encoder)
    put("text_encoder", config_of(pipeline.text_encoder->options()), pipeline.text_encoder.get());
  if (pipeline.text_encoder_2)
    put("text_encoder_2", config_of(pipeline.text_encoder_2->options()), pipeline.text_encoder_2.get());
  const StateDict file = join_single_file(family, components);
  check_readable(file, components.at(0).config);
  save_state(path, file);
}

}  // namespace plumb
