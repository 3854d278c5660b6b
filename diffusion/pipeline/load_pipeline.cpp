#include "diffusion/pipeline/pipeline.h"
#include "diffusion/pipeline/pipeline_class.h"
#include "diffusion/pipeline/pipeline_parts.h"
#include "engine/require.h"
#include "nn/clip/clip_names.h"
#include "nn/pretrained/component_folder.h"
#include "nn/vae/old_names.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// Reads a pipeline's components one after the other.
class PipelineLoader {
 public:
  PipelineLoader(const fs::path& folder, const LoadPipelineOptions& options)
      : folder_(folder),
        options_(options),
        index_(read_config_file(folder, "model_index.json")),
        source_((folder / "model_index.json").string()) {}

  Pipeline load();

 private:
  bool has(const std::string& name) const;
  void require_there(const std::string& name) const;
  void require_class(const std::string& name, const char* expected) const;
  template <class M>
  void fill(M& module, const std::string& name, StateDict (*rename)(const StateDict&)) const;
  template <class F>
  auto built(const std::string& name, F&& make) const;
  std::unique_ptr<ClipTextModel> load_text(const std::string& name, const char* class_name) const;
  void read_tokenizer(const std::string& name, Pipeline& pipeline) const;
  void note_others(const PipelineClass& known, Pipeline& pipeline) const;

  const fs::path& folder_;
  const LoadPipelineOptions& options_;
  const Json index_;
  const std::string source_;
};

/// The class that model_index.json gives for a component; null when there is none.
const Json* class_of(const Json& index, const std::string& name) {
  const Json* entry = index.find(name);
  if (!entry || !entry->is_array() || entry->size() != 2 || !(*entry)[1].is_string()) return nullptr;
  return &(*entry)[1];
}

bool PipelineLoader::has(const std::string& name) const { return class_of(index_, name) != nullptr; }

void PipelineLoader::require_there(const std::string& name) const {
  require<ValueError>(has(name), "pipeline: component \"{}\" must be given ({}); {}", name,
                      index_.find(name) ? index_.find(name)->dump() : "missing", source_);
  std::error_code ignored;
  require<IoError>(fs::is_directory(folder_ / name, ignored), "pipeline: the folder of component \"{}\" is missing; {}",
                   name, (folder_ / name).string());
}

void PipelineLoader::require_class(const std::string& name, const char* expected) const {
  require_there(name);
  const std::string& found = class_of(index_, name)->as_string();
  require<ValueError>(found == expected, "pipeline: component \"{}\" must be a {} ({}); {}", name, expected, found,
                      source_);
}

/// What `make` gives for config.json; its errors begin with the file.
template <class F>
auto PipelineLoader::built(const std::string& name, F&& make) const {
  const Json config = read_config_file(folder_ / name);
  try {
    return make(config);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", (folder_ / name / "config.json").string(), error.what());
  }
}

template <class M>
void PipelineLoader::fill(M& module, const std::string& name, StateDict (*rename)(const StateDict&)) const {
  if (!options_.weights) return;
  load_component(
      module, folder_ / name,
      {.variant = options_.variant, .dtype = options_.dtype, .as_stored = options_.as_stored, .rename = rename});
}

std::unique_ptr<ClipTextModel> PipelineLoader::load_text(const std::string& name, const char* class_name) const {
  require_class(name, class_name);
  auto model = built(name, [&](const Json& config) {
    ClipTextOptions options = clip_text_options(config);
    options.with_projection = std::string_view(class_name) == "CLIPTextModelWithProjection";
    return std::make_unique<ClipTextModel>(options, Init::shapes());
  });
  fill(*model, name, with_clip_text_names);
  return model;
}

void PipelineLoader::read_tokenizer(const std::string& name, Pipeline& pipeline) const {
  require_there(name);
  if (options_.weights) load_tokenizer(folder_ / name, name, pipeline);
}

/// Components that are there and not used: of safety and of pictures as prompts, say.
void PipelineLoader::note_others(const PipelineClass& known, Pipeline& pipeline) const {
  for (const JsonMember& member : index_.as_object()) {
    const std::string& name = member.key;
    if (!has(name) || name == "unet" || name == "scheduler" || name == known.vae) continue;
    if (known.text_encoders > 0 && (name.starts_with("text_encoder") || name.starts_with("tokenizer"))) continue;
    pipeline.notes.push_back("left out: " + name + " (" + class_of(index_, name)->as_string() + ")");
  }
}

Pipeline PipelineLoader::load() {
  const Json* named = index_.find("_class_name");
  require<ValueError>(named && named->is_string(), "pipeline: there must be a _class_name; {}", source_);
  const PipelineClass& known = pipeline_class(named->as_string(), source_);
  Pipeline pipeline;
  pipeline.class_name = known.name;
  require_there("scheduler");
  pipeline.scheduler = load_scheduler_config(folder_ / "scheduler" / "scheduler_config.json");
  require_there("unet");
  pipeline.unet = built("unet", [](const Json& config) { return make_picture_denoiser(config, Init::shapes()); });
  fill(*pipeline.unet, "unet", with_new_attention_names);
  if (!known.vae.empty()) {
    const std::string name(known.vae);
    require_class(name, "AutoencoderKL");
    pipeline.vae = built(name, [](const Json& config) {
      return std::make_unique<AutoencoderKL>(autoencoder_kl_options(config), Init::shapes());
    });
    fill(*pipeline.vae, name, with_new_attention_names);
  }
  const auto wanted = [&](const char* name) { return has(name) || !known.optional_text; };
  if (known.text_encoders > 0) {
    if (wanted("text_encoder")) pipeline.text_encoder = load_text("text_encoder", "CLIPTextModel");
    if (wanted("tokenizer")) read_tokenizer("tokenizer", pipeline);
  }
  if (known.text_encoders > 1) {
    if (wanted("text_encoder_2")) pipeline.text_encoder_2 = load_text("text_encoder_2", "CLIPTextModelWithProjection");
    if (wanted("tokenizer_2")) read_tokenizer("tokenizer_2", pipeline);
    if (const Json* zeros = index_.find("force_zeros_for_empty_prompt"))
      pipeline.force_zeros_for_empty_prompt = zeros->as_bool();
  }
  note_others(known, pipeline);
  return pipeline;
}

}  // namespace

Pipeline load_pipeline(const fs::path& path, const LoadPipelineOptions& options) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return load_single_file(path, options);
  require<IoError>(fs::is_directory(path, ignored),
                   "pipeline: must be a folder with a model_index.json, or a single file; {}", path.string());
  return PipelineLoader(path, options).load();
}

}  // namespace plumb
