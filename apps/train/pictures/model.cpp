#include "apps/train/pictures/model.h"

#include <cstdio>
#include <limits>

#include "apps/common/picture_shape.h"
#include "apps/train/pictures/new_text.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb::train {
namespace {

Json strings(const std::vector<const char*>& values) {
  Json array = Json::array();
  for (const char* value : values) array.push_back(value);
  return array;
}

Json integers(const std::vector<int64_t>& values) {
  Json array = Json::array();
  for (const int64_t value : values) array.push_back(value);
  return array;
}

Json scheduler_json(const PictureSettings& settings) {
  static constexpr const char* kNames[] = {"linear", "scaled_linear", "squaredcos_cap_v2"};
  Json json = Json::object();
  json.set("_class_name", "DDPMScheduler").set("num_train_timesteps", settings.schedule.num_train_timesteps);
  json.set("beta_schedule", kNames[size_t(settings.schedule.beta_schedule)]);
  json.set("beta_start", settings.schedule.beta_start).set("beta_end", settings.schedule.beta_end);
  return json.set("prediction_type", settings.prediction_type.empty() ? "epsilon" : settings.prediction_type);
}

/// The configuration of the new network that the flags ask for.
Json asked_config(const PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline) {
  if (!settings.unet_config.empty()) return Json::parse(read_file(settings.unet_config), settings.unet_config);
  const int64_t reduction = reduction_of(pipeline);
  NewUNet unet{.size = settings.unet_init.empty() ? "small" : settings.unet_init,
               .resolution = settings.resolution.value_or(64 * reduction) / reduction,
               .classes = int64_t(data.classes.size())};
  if (pipeline.vae) unet.channels = pipeline.vae->options().latent_channels;
  if (pipeline.text_encoder) unet.context = pipeline.text_encoder->options().hidden_size, unet.classes = 0;
  return new_unet_config(unet);
}

/// Refuses a text encoder that the network cannot take, or that cannot be trained.
void require_text(const PictureSettings& settings, const Pipeline& pipeline) {
  if (settings.text_init.empty() && !settings.train_text_encoder) return;
  const int64_t features = pipeline.unet->context_features();
  require<UsageError>(pipeline.text_encoder && !pipeline.text_encoder_2,
                      "train: --train_text_encoder needs a model with one text encoder ({})",
                      pipeline.text_encoder_2 ? "this one has two" : "this one has none");
  require<UsageError>(features == pipeline.text_encoder->options().hidden_size,
                      "train: the network must take the text encoder's {} features (cross_attention_dim {})",
                      pipeline.text_encoder->options().hidden_size, features);
}

}  // namespace

Json new_unet_config(const NewUNet& unet) {
  const bool tiny = unet.size == "tiny", text = unet.context > 0;
  Json config = Json::object();
  config.set("_class_name", text ? "UNet2DConditionModel" : "UNet2DModel").set("sample_size", unet.resolution);
  config.set("in_channels", unet.channels).set("out_channels", unet.channels);
  config.set("layers_per_block", tiny ? 1 : 2).set("norm_num_groups", tiny ? 8 : 32);
  config.set("block_out_channels",
             integers(tiny ? std::vector<int64_t>{32, 64, 64} : std::vector<int64_t>{64, 128, 256}));
  if (text) {
    config.set("down_block_types", strings({"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}));
    config.set("up_block_types", strings({"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"}));
    config.set("cross_attention_dim", unet.context).set("attention_head_dim", tiny ? 4 : 8);
  } else {
    config.set("down_block_types", strings({"DownBlock2D", "DownBlock2D", "AttnDownBlock2D"}));
    config.set("up_block_types", strings({"AttnUpBlock2D", "UpBlock2D", "UpBlock2D"}));
    config.set("attention_head_dim", tiny ? 16 : 32);
  }
  if (unet.classes > 0) config.set("num_class_embeds", unet.classes);
  return config;
}

Pipeline make_pipeline(const PictureSettings& settings, const PictureDataset& data, Generator& generator) {
  Pipeline pipeline;
  if (!settings.pretrained.empty()) {
    pipeline = load_pipeline(settings.pretrained);
    if (!settings.prediction_type.empty())
      pipeline.scheduler.prediction_type = prediction_from_name(settings.prediction_type);
  } else {
    pipeline.scheduler = scheduler_config(scheduler_json(settings), "train");
    if (!settings.text_init.empty()) {
      add_new_text(pipeline, settings.text_init, data, generator);
      pipeline.class_name = "TextToPixelsPipeline";
    }
  }
  if (settings.pretrained.empty() || !settings.unet_config.empty() || !settings.unet_init.empty()) {
    const std::string source = settings.unet_config.empty() ? "--unet_init" : settings.unet_config;
    try {
      pipeline.unet = make_picture_denoiser(asked_config(settings, data, pipeline), generator);
    } catch (const ValueError& error) {
      raise<UsageError>("train: {}: {}", source, error.what());
    }
  }
  const int64_t classes = pipeline.unet->classes();
  require<UsageError>(classes == 0 || !data.classes.empty(),
                      "train: the network has {} classes, but the pictures no labels; {}", classes,
                      settings.train_data_dir);
  require<UsageError>(classes == 0 || int64_t(data.classes.size()) <= classes,
                      "train: the pictures have {} classes, the network {}; {}", data.classes.size(), classes,
                      settings.train_data_dir);
  require<UsageError>(pipeline.unet->context_features() == 0 || pipeline.text_encoder || pipeline.text_encoder_2,
                      "train: the network looks at text, but there is no text encoder; make one with --text_init, or "
                      "give --pretrained_model_name_or_path a folder that has one");
  require_text(settings, pipeline);
  require_picture_channels("train", pipeline);
  return pipeline;
}

namespace {

/// Of at most so many values of each parameter.
std::string hash_of_heads(Module& module, int64_t most) {
  Sha256 hash;
  for (const NamedParameter& entry : parameters(module)) {
    const Tensor& value = entry.parameter->value();
    hash.update(fmt::format("{} {}", entry.name, value.shape()));
    const Tensor head = slice(reshape(value.contiguous(), {value.numel()}), 0, 0, std::min(most, value.numel()));
    const std::vector<float> values = head.to(kCpu).to(DType::f32).to_vector<float>();
    hash.update(values.data(), values.size() * sizeof(float));
  }
  return hash.finish_hex();
}

}  // namespace

std::string fingerprint(Module& module) {
  constexpr int64_t kValues = 64;
  return hash_of_heads(module, kValues);
}

std::string weights_hash(Module& module) { return hash_of_heads(module, std::numeric_limits<int64_t>::max()); }

}  // namespace plumb::train
