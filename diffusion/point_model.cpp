#include "diffusion/point_model.h"

#include <array>

#include "engine/config.h"
#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/io/safetensors.h"
#include "engine/require.h"
#include "nn/state_dict.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "unet/diffusion_pytorch_model.safetensors";
constexpr std::array<std::pair<BetaSchedule, const char*>, 3> kBetaNames = {{
    {BetaSchedule::linear, "linear"},
    {BetaSchedule::scaled_linear, "scaled_linear"},
    {BetaSchedule::squaredcos_cap_v2, "squaredcos_cap_v2"},
}};

std::string beta_schedule_name(BetaSchedule schedule) {
  for (const auto& [known, name] : kBetaNames)
    if (known == schedule) return name;
  return "linear";
}

BetaSchedule beta_schedule_from_name(const std::string& name, const std::string& file) {
  for (const auto& [known, text] : kBetaNames)
    if (name == text) return known;
  raise<ValueError>("{}: beta_schedule must be linear, scaled_linear or squaredcos_cap_v2 ({})", file, name);
}

Json network_config(const PointDenoiserOptions& o) {
  Json json = Json::object();
  json.set("_class_name", "PointDenoiser").set("dimensions", o.dimensions).set("classes", o.classes);
  json.set("time_features", o.time_features).set("class_features", o.class_features);
  return json.set("hidden", o.hidden).set("hidden_layers", o.hidden_layers);
}

Json scheduler_config(const PointModel& model) {
  const NoiseScheduleOptions& o = model.schedule;
  Json json = Json::object();
  json.set("_class_name", "DDIMScheduler").set("num_train_timesteps", o.num_train_timesteps);
  json.set("beta_schedule", beta_schedule_name(o.beta_schedule)).set("beta_start", o.beta_start);
  json.set("beta_end", o.beta_end).set("prediction_type", name_of(model.prediction)).set("clip_sample", false);
  return json.set("set_alpha_to_one", true).set("steps_offset", 0).set("timestep_spacing", "trailing");
}

Json read_config(const fs::path& path, const char* class_name) {
  Json json = Json::parse(read_file(path), path.string());
  const Json* found = json.is_object() ? json.find("_class_name") : nullptr;
  require<ValueError>(found && found->is_string() && found->as_string() == class_name,
                      "{}: _class_name must be {} ({})", path.string(), class_name, found ? found->dump() : "missing");
  return json;
}

/// Refuses a configuration that does not belong to the weights, before memory is asked for in its name.
PointDenoiserOptions checked_options(const Json& network, const fs::path& folder) {
  const PointDenoiserOptions o{.dimensions = network.at("dimensions").as_integer(),
                               .classes = network.at("classes").as_integer(),
                               .time_features = network.at("time_features").as_integer(),
                               .class_features = network.at("class_features").as_integer(),
                               .hidden = network.at("hidden").as_integer(),
                               .hidden_layers = network.at("hidden_layers").as_integer()};
  const SafetensorsFile weights(folder / kWeights);
  double held = 0;
  for (size_t i = 0; i < weights.size(); ++i) held += double(numel(weights.header().shape(i)));
  constexpr double kMostClassFeatures = 65536;  // made even without classes, so that no weight vouches for them
  const double hidden = double(o.hidden), embedding = o.classes > 0 ? double(o.class_features) : 0;
  const double needed = double(o.classes) * embedding +
                        (double(o.dimensions) + double(o.time_features) + embedding + 1) * hidden +
                        double(o.hidden_layers - 1) * (hidden + 1) * hidden + (hidden + 1) * double(o.dimensions);
  require<ValueError>(needed == held && double(o.class_features) <= kMostClassFeatures,
                      "{}: the sizes do not belong to the weights ({:.0f} parameters, the file beside it holds {:.0f})",
                      (folder / "unet/config.json").string(), needed, held);
  return o;
}

}  // namespace

void save_point_model(const fs::path& folder, const PointModel& model) {
  AtomicDirectory target(folder);
  Json index = Json::object(), unet = Json::array(), scheduler = Json::array();
  unet.push_back("plumb"), unet.push_back("PointDenoiser");
  scheduler.push_back("diffusers"), scheduler.push_back("DDIMScheduler");
  index.set("_class_name", "PointDiffusionPipeline").set("_plumb_version", kVersion);
  index.set("scheduler", std::move(scheduler)).set("unet", std::move(unet));
  target.add("model_index.json", index.dump(2) + '\n');
  target.add("unet/config.json", network_config(model.network->options()).dump(2) + '\n');
  target.add("scheduler/scheduler_config.json", scheduler_config(model).dump(2) + '\n');
  TensorMap weights;
  for (const NamedTensor& entry : state_dict(*model.network)) weights.emplace(entry.name, entry.tensor);
  save_safetensors(target.file(kWeights), weights);
  target.commit();
}

PointModel load_point_model(const fs::path& folder) {
  const Json network = read_config(folder / "unet/config.json", "PointDenoiser");
  const fs::path scheduler_path = folder / "scheduler/scheduler_config.json";
  const Json scheduler = read_config(scheduler_path, "DDIMScheduler");
  PointModel model;
  model.network = std::make_unique<PointDenoiser>(checked_options(network, folder), Init::zeros());
  StateDict weights;
  for (auto& [name, tensor] : load_safetensors(folder / kWeights)) weights.push_back({name, tensor});
  load_state_dict(*model.network, weights);
  model.schedule = {
      .num_train_timesteps = scheduler.at("num_train_timesteps").as_integer(),
      .beta_schedule = beta_schedule_from_name(scheduler.at("beta_schedule").as_string(), scheduler_path.string()),
      .beta_start = scheduler.at("beta_start").as_number(),
      .beta_end = scheduler.at("beta_end").as_number()};
  constexpr int64_t kMostTimesteps = 1'000'000;
  require<ValueError>(model.schedule.num_train_timesteps <= kMostTimesteps,
                      "{}: num_train_timesteps must be at most {} ({})", scheduler_path.string(), kMostTimesteps,
                      model.schedule.num_train_timesteps);
  model.prediction = prediction_from_name(scheduler.at("prediction_type").as_string());
  return model;
}

bool is_point_model(const fs::path& folder) {
  std::error_code ignored;
  const fs::path config = folder / "unet/config.json";
  if (!fs::is_regular_file(config, ignored)) return false;
  const Json json = Json::parse(read_file(config), config.string());
  const Json* name = json.is_object() ? json.find("_class_name") : nullptr;
  return name && name->is_string() && name->as_string() == "PointDenoiser";
}

}  // namespace plumb
