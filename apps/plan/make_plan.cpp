#include "apps/plan/make_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/common/picture_memory.h"
#include "apps/common/picture_shape.h"
#include "apps/common/published_settings.h"
#include "apps/inspect/describe.h"
#include "apps/plan/forwards.h"
#include "apps/plan/measure.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/optim/adafactor.h"

namespace plumb::plan {
namespace {

struct Model {
  std::optional<PointModel> points;
  std::optional<Pipeline> pictures;
  int64_t parameters = 0;
  int64_t adapter_parameters = 0;    // had it adapters
  std::optional<int64_t> adafactor;  // bytes of its state for all parameters, where their shapes are known
};

/// Layers of attention that LoRA is trained on by default in diffusers' scripts.
bool is_attention_projection(const std::string& name) {
  for (const char* end : {"to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"})
    if (name.ends_with(end)) return true;
  return false;
}

/// Counts of the network in any diffusers folder, from the headers of its files.
Model count_folder(const Json& described, const Settings& s) {
  Model model;
  for (const Json& component : described.at("components").as_array()) {
    const std::string& name = component.at("name").as_string();
    if (name != "unet" && name != "transformer") continue;
    for (const Json& file : component.at("weights").as_array())
      for (const Json& tensor : file.at("tensors").as_array()) {
        model.parameters += tensor.at("elements").as_integer();
        const Json& shape = tensor.at("shape");
        if (shape.size() == 2 && is_attention_projection(tensor.at("name").as_string()))
          model.adapter_parameters += s.rank * (shape[0].as_integer() + shape[1].as_integer());
      }
  }
  require<UsageError>(model.parameters > 0, "plan: {} holds no weights of a unet or transformer; name a model folder",
                      s.model);
  return model;
}

/// Counts of a model of pictures, from its configurations.
Model count_pictures(const Settings& s) {
  Model model;
  model.pictures = load_pipeline(s.model, {.weights = false});
  model.adafactor = Adafactor::state_bytes(parameters(*model.pictures->unet));
  for (const NamedParameter& named : parameters(*model.pictures->unet)) {
    const Shape& shape = named.parameter->shape();
    model.parameters += named.parameter->numel();
    if (shape.rank() == 2 && is_attention_projection(named.name))
      model.adapter_parameters += s.rank * (shape[0] + shape[1]);
  }
  return model;
}

Model load_model(const Settings& s) {
  const Json described = describe_path(s.model);
  const std::string& kind = described.at("kind").as_string();
  if (described.find("pictures")) {
    try {
      return count_pictures(s);
    } catch (const Error&) {
      if (kind != "model") throw;  // the weights of a folder that would not load are counted all the same
    }
  }
  require<UsageError>(kind == "model", "plan: {} is no model folder ({}); give --model FOLDER", s.model, kind);
  if (described.at("class").as_string() != "PointDiffusionPipeline") return count_folder(described, s);
  Model model;
  model.points = load_point_model(s.model);
  PointDenoiser& network = *model.points->network;
  model.parameters = count(parameters(network));
  model.adafactor = Adafactor::state_bytes(parameters(network));
  const std::unique_ptr<PointDenoiser> adapted = clone(network);
  Generator generator(0);
  add_adapters(*adapted, kStudentAdapter, generator, {.rank = s.rank});
  model.adapter_parameters = count(parameters(*adapted, Include::adapters));
  return model;
}

Json batch_of(const Settings& s) {
  Json json = Json::object();
  json.set("train_batch_size", s.batch).set("gradient_accumulation_steps", s.accumulation).set("devices", s.devices);
  return json.set("effective", s.batch * s.accumulation * s.devices);
}

int64_t elements_of(const std::vector<int64_t>& shape) {
  double product = 1;
  for (const int64_t size : shape) product *= double(size);
  require<UsageError>(!shape.empty() && product >= 1 && product <= 1e12,
                      "plan: --shape must be positive sizes such as 4,64,64 (got {})", fmt::join(shape, ","));
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

/// The beta in use, as `plumb align` takes it; empty for an objective without one.
std::optional<double> beta_of(const Settings& s, const PublishedSettings* published, int64_t elements) {
  for (const auto& [key, value] : objective_settings(s.objective, s.policy, elements))
    if (key == "beta") return std::stod(value);
  return published ? published->beta : std::nullopt;
}

Json learning_rate_of(const Settings& s, const PublishedSettings* published, std::optional<double> beta) {
  const double base = s.learning_rate.value_or(published ? published->learning_rate : 1e-8);
  const double effective = double(s.batch * s.accumulation * s.devices);
  const bool has_text = s.objective.name == "diffusion_dpo" || s.objective.name == "dspo_xl";
  constexpr double kTextRate = 2.048e-8, kTextBeta = 2000;
  Json json = Json::object();
  json.set("base", base).set("scale_lr", s.scale_lr || (published && published->scale_lr));
  json.set("with_scale_lr", base * effective).set("without_scale_lr", base);
  return json.set("papers_text", has_text && beta && *beta > 0 ? Json(kTextRate * kTextBeta / *beta) : Json());
}

Json shape_json(const std::vector<int64_t>& shape) {
  Json json = Json::array();
  for (const int64_t size : shape) json.push_back(size);
  return json;
}

Json beta_json(const Settings& s, const std::vector<int64_t>& shape, double beta) {
  const double factor = beta_factor(s.objective.name);
  const int64_t elements = elements_of(shape);
  const double strength = preference_strength(beta, elements, factor);
  Json others = Json::array();
  for (const std::vector<int64_t>& other :
       std::vector<std::vector<int64_t>>{{2}, {3, 32, 32}, {3, 64, 64}, {4, 64, 64}, {4, 128, 128}, {16, 128, 128}}) {
    Json row = Json::object();
    row.set("shape", shape_json(other)).set("elements", elements_of(other));
    others.push_back(row.set("beta", beta_of_strength(strength, elements_of(other), factor)));
  }
  Json json = Json::object();
  json.set("beta", beta).set("shape", shape_json(shape)).set("elements", elements).set("factor", factor);
  return json.set("strength", strength).set("equal_strength", others);
}

Json steps_json(const Settings& s, const PublishedSettings* published) {
  const int64_t steps = s.steps.value_or(published ? published->steps : 0);
  const int64_t pairs = steps * s.batch * s.accumulation * s.devices;
  Json json = Json::object();
  json.set("steps", steps).set("warmup_steps", published ? published->warmup_steps : 0).set("pairs", pairs);
  json.set("dataset_size", s.dataset_size ? Json(*s.dataset_size) : Json());
  return json.set("epochs", s.dataset_size ? Json(double(pairs) / double(*s.dataset_size)) : Json());
}

Json forwards_json(const Settings& s) {
  const Forwards forwards =
      count_forwards(s.objective.name, objective_settings(s.objective, s.policy, kPublishedElements), s.policy);
  Json json = Json::object();
  json.set("student", forwards.student).set("frozen", forwards.frozen);
  return json.set("frozen_after_reference_update", forwards.frozen_moved);
}

Json memory_json(const Memory& m) {
  Json json = Json::object();
  json.set("parameters", m.parameters).set("trained", m.trained).set("weights", m.weights);
  json.set("gradients", m.gradients).set("optimizer", m.optimizer).set("average", m.average);
  return json.set("initial", m.initial).set("moving", m.moving).set("total", m.total());
}

Json picture_json(const PictureMemory& m) {
  Json json = Json::object();
  json.set("weights", m.weights).set("gradients", m.gradients).set("optimizer", m.optimizer);
  return json.set("average", m.average).set("activations", m.activations).set("total", m.total());
}

/// Bytes of the optimiser's state where they are not AdamW's; with adapters those are the most.
std::optional<int64_t> optimizer_bytes(const Settings& s, const Model& model) {
  if (s.optimizer == OptimizerKind::adamw || s.use_lora) return std::nullopt;
  require<UsageError>(
      model.adafactor.has_value(),
      "plan: --optimizer adafactor keeps a state by the shapes of weights, and the network of {} is not "
      "one that can be trained here; leave it out",
      s.model);
  return model.adafactor;
}

/// Refused when a step as it is set does not fit the machine.
Json pictures_json(const Settings& s, const Model& model) {
  const int64_t side = s.resolution.value_or(0);
  PictureWork work{
      .batch = s.batch, .height = side, .width = side, .checkpointing = s.checkpointing, .average = s.use_ema};
  work.adapter_parameters = s.use_lora ? model.adapter_parameters : 0;
  work.adafactor = s.optimizer == OptimizerKind::adafactor;
  require_memory("plan", *model.pictures, work);
  Json json = Json::object();
  json.set("resolution", s.resolution ? Json(side) : Json()).set("machine", machine_memory());
  work.checkpointing = false;
  json.set("training", picture_json(predict_memory(*model.pictures, work)));
  work.checkpointing = true;
  json.set("training_checkpointed", picture_json(predict_memory(*model.pictures, work)));
  work.training = false;
  return json.set("sampling", picture_json(predict_memory(*model.pictures, work)));
}

/// A step with an accumulation of a few: more of them take time, and no more memory.
Json measured_json(const Settings& s, PointModel model, int64_t steps) {
  constexpr int64_t kMostAccumulated = 4;
  AlignSettings settings;
  settings.objective = s.objective;
  settings.batch = s.batch;
  settings.accumulation = std::min(s.accumulation, kMostAccumulated);
  settings.models.policy.name = s.policy;
  settings.models.use_lora = s.use_lora;
  settings.models.adapter.rank = s.rank;
  settings.reference.tau = s.moving_reference ? 1 : 0;
  settings.reference.delta = 1e30;
  settings.trainer.divergence_every = 0;
  settings.optimizer.kind = s.optimizer;
  resolve(settings);
  const MeasuredStep step = measure_step(settings, std::move(model));
  const double seconds = step.seconds * double(s.accumulation) / double(settings.accumulation);
  Json json = Json::object();
  return json.set("peak_bytes", step.peak_bytes).set("step_s", seconds).set("run_s", seconds * double(steps));
}

/// Of what the model denoises: as given, or as the model says, or Stable Diffusion's.
std::vector<int64_t> shape_of(const Settings& s, const std::optional<Model>& model) {
  if (!s.shape.empty()) return s.shape;
  if (model && model->points) return {model->points->network->options().dimensions};
  if (!model || !model->pictures) return {4, 64, 64};
  const Pipeline& pipeline = *model->pictures;
  Size2d size = pipeline.unet->sample_size();
  const int64_t side = s.resolution.value_or(0) / reduction_of(pipeline);
  if (side > 0) size = {side, side};
  return size.height > 0 ? std::vector<int64_t>{pipeline.unet->in_channels(), size.height, size.width}
                         : std::vector<int64_t>{4, 64, 64};
}

}  // namespace

Json make_plan(const Settings& s) {
  const PublishedSettings* published = find_published(s.objective.name, s.policy);
  std::optional<Model> model;
  if (!s.model.empty()) model = load_model(s);
  const std::vector<int64_t> shape = shape_of(s, model);
  const std::optional<double> beta = beta_of(s, published, elements_of(shape));

  Json plan = Json::object();
  plan.set("objective", s.objective.name).set("policy", s.policy).set("batch", batch_of(s));
  plan.set("learning_rate", learning_rate_of(s, published, beta));
  plan.set("beta", beta ? beta_json(s, shape, *beta) : Json());
  plan.set("steps", steps_json(s, published)).set("forwards", forwards_json(s));
  if (!model) return plan;
  plan.set("memory", memory_json(memory_of({.parameters = model->parameters,
                                            .adapter_parameters = s.use_lora ? model->adapter_parameters : 0,
                                            .average = s.use_ema,
                                            .moving = s.moving_reference,
                                            .optimizer = optimizer_bytes(s, *model)})));
  if (model->pictures) plan.set("pictures", pictures_json(s, *model));
  if (model->points)
    plan.set("measured", measured_json(s, std::move(*model->points), plan.at("steps").at("steps").as_integer()));
  return plan;
}

}  // namespace plumb::plan
