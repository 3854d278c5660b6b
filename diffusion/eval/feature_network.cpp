#include "diffusion/eval/feature_network.h"

#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/classifier/picture_classifier.h"
#include "nn/clip/clip_names.h"
#include "nn/clip/clip_vision_model.h"
#include "nn/pretrained/component_folder.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

std::string hash_of_weights(const fs::path& folder) {
  Sha256 hash;
  for (const fs::path& path : find_weight_files(folder).files) {
    const MappedFile file(path);
    hash.update(file.bytes().data(), file.bytes().size());
  }
  return hash.finish_hex();
}

class ClassifierFeatures final : public FeatureNetwork {
 public:
  ClassifierFeatures(const fs::path& folder, const Json& config)
      : model_(picture_classifier_options(config), Init::shapes()) {
    load_component(model_, folder);
    const PictureClassifierOptions& options = model_.options();
    space_ = {"PictureClassifier", "features", options.feature_dim, hash_of_weights(folder)};
    transform_ = {.resolution = options.image_size, .center_crop = true, .channels = options.in_channels};
    transform_.check();
    heads_ = options.heads;
  }

  NetworkOutput forward(const Tensor& pixels) override {
    const NoGrad no_grad;
    const ClassifierOutput output = model_.forward(Variable(pixels));
    return {output.features.value(), output.logits.value()};
  }

 private:
  PictureClassifier model_;
};

/// One number a channel, [1, C, 1, 1].
Tensor channel_values(const Json& config, const char* key, std::vector<double> values, int64_t channels) {
  if (const Json* given = config.find(key)) {
    values.clear();
    for (const Json& value : given->as_array()) values.push_back(value.as_number());
  }
  require<ValueError>(int64_t(values.size()) == channels, "preprocessor config: {} must have {} numbers ({})", key,
                      channels, values.size());
  return from_vector(values, {1, channels, 1, 1}).to(DType::f32);
}

class ClipFeatures final : public FeatureNetwork {
 public:
  /// is_whole: a CLIPModel, the text encoder beside it.
  ClipFeatures(const fs::path& folder, const Json& config, bool is_whole)
      : model_(clip_vision_options(config), Init::shapes()) {
    load_component(model_, folder, {.rename = is_whole ? clip_vision_part : with_clip_vision_names});
    const ClipVisionOptions& options = model_.options();
    const bool projects = options.with_projection;
    space_ = {projects ? "CLIPVisionModelWithProjection" : "CLIPVisionModel", projects ? "image_embeds" : "pooled",
              projects ? options.projection_dim : options.hidden_size, hash_of_weights(folder)};
    transform_ = {.resolution = options.image_size,
                  .center_crop = true,
                  .filter = ResizeFilter::bicubic,
                  .channels = options.num_channels};
    transform_.check();
    const bool described = fs::exists(folder / "preprocessor_config.json");
    const Json given = described ? read_config_file(folder, "preprocessor_config.json") : Json::object();
    // Those of OpenAI's models.
    mean_ = channel_values(given, "image_mean", {0.48145466, 0.4578275, 0.40821073}, options.num_channels);
    deviation_ = channel_values(given, "image_std", {0.26862954, 0.26130258, 0.27577711}, options.num_channels);
  }

  NetworkOutput forward(const Tensor& pixels) override {
    const NoGrad no_grad;
    const ClipVisionOutput output = model_.forward(Variable(((pixels + 1) * 0.5 - mean_) / deviation_));
    return {(model_.options().with_projection ? output.image_embeds : output.pooled).value(), {}};
  }

 private:
  ClipVisionModel model_;
  Tensor mean_, deviation_;
};

std::string class_of(const Json& config) {
  if (const Json* name = config.find("_class_name"); name && name->is_string()) return name->as_string();
  if (const Json* type = config.find("model_type"); type && type->is_string()) return type->as_string();
  return "";
}

}  // namespace

std::unique_ptr<FeatureNetwork> load_feature_network(const fs::path& folder) {
  const Json config = read_config_file(folder);
  const std::string name = class_of(config);
  const std::string where = (folder / "config.json").string();
  try {
    if (name == "PictureClassifier") return std::make_unique<ClassifierFeatures>(folder, config);
    if (name == "clip" || name == "clip_vision_model")
      return std::make_unique<ClipFeatures>(folder, config, name == "clip");
  } catch (const ValueError& error) {
    raise<ValueError>("features: {}; {}", error.what(), where);
  }
  raise<ValueError>(
      "features: config.json must be a PictureClassifier's or a CLIP model's (it is \"{}\"'s); {}; plumb shapes "
      "features "
      "trains one",
      name, where);
}

}  // namespace plumb
