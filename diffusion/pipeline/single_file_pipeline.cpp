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
SchedulerConfig published_schedule(LdmFamily family) {
  Json json = Json::object();
  const char* kind = family == LdmFamily::sd1   ? "PNDMScheduler"
                     : family == LdmFamily::sd2 ? "DDIMScheduler"
                                                : "EulerDiscreteScheduler";
  json.set("_class_name", kind).set("num_train_timesteps", 1000).set("beta_schedule", "scaled_linear");
  json.set("beta_start", 0.00085).set("beta_end", 0.012).set("steps_offset", 1).set("timestep_spacing", "leading");
  json.set("prediction_type", name_of(Prediction::epsilon));
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
  if (!options.prediction && !file.scheduler)
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

/// Whether the network was trained as the family's published ones were; which sampler a folder names is a matter of
/// taste.
bool is_published(const SchedulerConfig& config, LdmFamily family) {
  const Json ours = to_json(config), theirs = to_json(published_schedule(family));
  const auto value = [](const Json& json, const char* key) {
    const Json* found = json.find(key);
    const std::string text = found ? found->dump() : "null";
    return text == "false" ? "null" : text;
  };
  for (const char* key : {"num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
                          "prediction_type", "rescale_betas_zero_snr"})
    if (value(ours, key) != value(theirs, key)) return false;
  return true;
}

/// A configuration with every key, as the component's class writes it.
Json whole_config(const std::string& name, const Json& config) {
  if (name == "unet") return make_picture_denoiser(config, Init::shapes())->config();
  if (name == "vae") return config_of(autoencoder_kl_options(config));
  ClipTextOptions text = clip_text_options(config);
  if (text.eos_token_id == text.vocab_size - 1) text.eos_token_id = 2;  // stands for the largest token: the same
  return config_of(text);
}

/// The config.json that readers make of a component's names and shapes, or the reason why they cannot.
Json as_read(LdmFamily family, const std::string& name, const StateDict& file) {
  const auto known = ldm_components(family);
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const LdmComponent& each) { return each.name == name; });
  try {
    return whole_config(name, ldm_config(family, *found, file));
  } catch (const ValueError& error) {
    return Json(error.what());
  }
}

/// Keys that say nothing of what a network computes.
bool is_computed_with(const std::string& key) {
  constexpr std::string_view kOthers[] = {"sample_size",        "initializer_range",   "initializer_factor",
                                          "force_upcast",       "upcast_attention",    "pad_token_id",
                                          "bos_token_id",       "architectures",       "projection_dim",
                                          "_diffusers_version", "transformers_version"};
  return std::find(std::begin(kOthers), std::end(kOthers), key) == std::end(kOthers);
}

/// A list of equal values is that value: of heads, or of layers.
std::string plain(const Json& value) {
  if (!value.is_array() || value.size() == 0) return value.dump();
  for (const Json& each : value.as_array())
    if (each.dump() != value[0].dump()) return value.dump();
  return value[0].dump();
}

/// In a line each, what readers take to be otherwise.
std::vector<std::string> misread(const std::string& name, const Json& config, const Json& read) {
  if (read.is_string()) return {fmt::format("other programs cannot read the {}: {}", name, read.as_string())};
  std::vector<std::string> lines;
  for (const JsonMember& member : config.as_object()) {
    const Json* other = read.find(member.key);
    const std::string is = plain(member.value), seems = other ? plain(*other) : "null";
    if (is_computed_with(member.key) && is != seems)
      lines.push_back(fmt::format("other programs take {} of the {} to be {} ({})", member.key, name, seems, is));
  }
  return lines;
}

}  // namespace

Pipeline load_single_file(const fs::path& path, const LoadPipelineOptions& options) {
  SingleFile file = read_single_file(path);
  Pipeline pipeline;
  pipeline.class_name = file.family == LdmFamily::sdxl ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline";
  pipeline.scheduler =
      file.scheduler ? scheduler_config(*file.scheduler, path.string()) : published_schedule(file.family);
  if (options.prediction) pipeline.scheduler.prediction_type = *options.prediction;
  try {
    for (Component& component : file.components) place(pipeline, component, options);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", path.string(), error.what());
  }
  if (!options.tokenizer.empty()) load_tokenizers(options.tokenizer, file.family == LdmFamily::sdxl, pipeline);
  note_what_is_missing(file, options, pipeline);
  return pipeline;
}

std::vector<std::string> save_single_file(const fs::path& path, const Pipeline& pipeline) {
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
  CarriedConfigs carried;
  std::vector<std::string> notes;
  for (const Component& component : components) {
    const std::vector<std::string> lines =
        misread(component.name, whole_config(component.name, component.config), as_read(family, component.name, file));
    if (!lines.empty()) carried.emplace(component.name, component.config);
    notes.insert(notes.end(), lines.begin(), lines.end());
  }
  if (!is_published(pipeline.scheduler, family)) carried.emplace("scheduler", to_json(pipeline.scheduler));
  if (prediction_of(pipeline.scheduler) != Prediction::epsilon)
    notes.push_back(fmt::format("other programs must be told what the network predicts: {}",
                                name_of(prediction_of(pipeline.scheduler))));
  save_state(path, file, with_configs(carried));
  return notes;
}

}  // namespace plumb
