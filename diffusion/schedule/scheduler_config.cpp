#include "diffusion/schedule/scheduler_config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "diffusion/schedule/scheduler_keys.h"
#include "diffusion/schedule/scheduler_values.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct ClassName {
  SchedulerClass type;
  const char* name;        ///< ours
  const char* class_name;  ///< diffusers'
};
constexpr std::array<ClassName, 9> kClasses = {{
    {SchedulerClass::ddpm, "ddpm", "DDPMScheduler"},
    {SchedulerClass::ddim, "ddim", "DDIMScheduler"},
    {SchedulerClass::pndm, "pndm", "PNDMScheduler"},
    {SchedulerClass::euler, "euler", "EulerDiscreteScheduler"},
    {SchedulerClass::euler_ancestral, "euler_ancestral", "EulerAncestralDiscreteScheduler"},
    {SchedulerClass::heun, "heun", "HeunDiscreteScheduler"},
    {SchedulerClass::dpm_multistep, "dpm_multistep", "DPMSolverMultistepScheduler"},
    {SchedulerClass::unipc, "unipc", "UniPCMultistepScheduler"},
    {SchedulerClass::flow_euler, "flow_euler", "FlowMatchEulerDiscreteScheduler"},
}};

/// The defaults of a class, where they are not those of most.
SchedulerConfig defaults_of(SchedulerClass type, std::string class_name) {
  SchedulerConfig config{.type = type, .class_name = std::move(class_name)};
  const bool of_variance = type == SchedulerClass::ddpm || type == SchedulerClass::ddim;
  if (!of_variance && type != SchedulerClass::pndm) config.timestep_spacing = TimestepSpacing::linspace;
  config.clip_sample = of_variance;
  config.set_alpha_to_one = type != SchedulerClass::pndm;
  if (type == SchedulerClass::unipc) config.solver_type = SolverType::bh2;
  if (type == SchedulerClass::flow_euler) config.prediction_type = Prediction::flow;
  if (type == SchedulerClass::heun) config.noise.beta_start = 0.00085, config.noise.beta_end = 0.012;
  return config;
}

/// Keys read without effect: those of other schedulers of diffusers, and of its early versions.
constexpr std::array<std::string_view, 12> kIgnored = {"tensor_format",
                                                       "timestep_values",
                                                       "solver_p",
                                                       "original_inference_steps",
                                                       "timestep_scaling",
                                                       "sigma_data",
                                                       "sigma_schedule",
                                                       "noise_sampler_seed",
                                                       "rho",
                                                       "use_clipped_model_output",
                                                       "custom_timesteps",
                                                       "num_inference_steps"};

/// What each class cannot have: a solver of one family named in the other's file counts as the family's first choice,
/// as diffusers takes it.
void settle_solver(SchedulerConfig& c) {
  const bool of_unipc = c.solver_type == SolverType::bh1 || c.solver_type == SolverType::bh2;
  if (c.type == SchedulerClass::unipc && !of_unipc) c.solver_type = SolverType::bh2;
  if (c.type == SchedulerClass::dpm_multistep && of_unipc) c.solver_type = SolverType::midpoint;
}

void check(const SchedulerConfig& c, std::string_view source) {
  constexpr int64_t kMostTimesteps = 1'000'000;
  const int64_t count = c.noise.num_train_timesteps, trained = int64_t(c.noise.trained_betas.size());
  require<ValueError>(count >= 1 && count <= kMostTimesteps, "{}: num_train_timesteps must be in [1, {}] ({})", source,
                      kMostTimesteps, count);
  require<ValueError>(trained == 0 || trained == count,
                      "{}: trained_betas must have num_train_timesteps numbers, {} ({})", source, count, trained);
  require<ValueError>(c.solver_order >= 1 && c.solver_order <= 3, "{}: solver_order must be 1, 2 or 3 ({})", source,
                      c.solver_order);
  require<ValueError>(c.steps_offset >= 0 && c.steps_offset < count, "{}: steps_offset must be in [0, {}) ({})", source,
                      count, c.steps_offset);
  require<ValueError>(c.shift > 0 && c.flow_shift > 0, "{}: shift and flow_shift must be positive ({}, {})", source,
                      c.shift, c.flow_shift);
  require<ValueError>(c.clip_sample_range > 0, "{}: clip_sample_range must be positive ({})", source,
                      c.clip_sample_range);
}

SchedulerConfig read(const Json& json, SchedulerClass type, std::string class_name, std::string_view source) {
  SchedulerConfig config = defaults_of(type, std::move(class_name));
  std::vector<std::string_view> known(kIgnored.begin(), kIgnored.end());
  known.push_back("predict_epsilon");
  visit_scheduler_keys(config, [&](std::string_view key, auto& value, unsigned) {
    known.push_back(key);
    if (const Json* found = json.find(key); found && !found->is_null()) read_value(*found, value, {source, key});
  });
  // The key of diffusers before 0.10.
  if (const Json* epsilon = json.find("predict_epsilon");
      epsilon && epsilon->kind() == Json::Kind::boolean && !epsilon->as_bool() && !json.find("prediction_type"))
    config.prediction_type = Prediction::sample;
  for (const auto& [key, value] : json.as_object()) {
    const bool harmless = value.is_null() || (value.kind() == Json::Kind::boolean && !value.as_bool());
    const bool expected = key.starts_with("_") || std::find(known.begin(), known.end(), key) != known.end();
    require<ValueError>(expected || harmless || type == SchedulerClass::other, "{}: no scheduler has a key \"{}\" ({})",
                        source, key, value.dump());
  }
  settle_solver(config);
  check(config, source);
  config.file = json;
  return config;
}

/// JSON as Python writes it: NaN, Infinity and -Infinity outside strings become null.
std::string without_infinities(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\' && i + 1 < text.size()) out += text[i++];
    size_t skipped = 0;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
      if (!quoted && skipped == 0 && text.substr(i).starts_with(word)) skipped = word.size();
    if (skipped > 0) {
      out += "null";
      i += skipped - 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string_view name_of(SchedulerClass type) {
  for (const ClassName& known : kClasses)
    if (known.type == type) return known.name;
  return "other";
}

SchedulerConfig scheduler_config(const Json& json, std::string_view source) {
  require<ValueError>(json.is_object(), "{}: must be an object", source);
  const Json* name = json.find("_class_name");
  require<ValueError>(name && name->is_string() && name->as_string().ends_with("Scheduler"),
                      "{}: _class_name must be a scheduler's, such as DDIMScheduler ({})", source,
                      name ? name->dump() : "missing");
  SchedulerClass type = SchedulerClass::other;
  for (const ClassName& known : kClasses)
    if (name->as_string() == known.class_name) type = known.type;
  return read(json, type, name->as_string(), source);
}

SchedulerConfig load_scheduler_config(const std::filesystem::path& path) {
  return scheduler_config(Json::parse(without_infinities(read_file(path)), path.string()), path.string());
}

Json to_json(const SchedulerConfig& config) {
  Json json = Json::object();
  json.set("_class_name", config.class_name);
  for (const auto& [key, value] : config.file.as_object())
    if (key != "_class_name") json.set(key, value);
  const unsigned mine = 1u << unsigned(config.type);
  visit_scheduler_keys(config, [&](std::string_view key, const auto& value, unsigned classes) {
    if (!(classes & mine)) return;
    // diffusers has no null where a number is meant: an infinity is left to the default.
    if (std::string_view(key) == "lambda_min_clipped" && !std::isfinite(config.lambda_min_clipped))
      json.erase(key);
    else
      json.set(key, write_value(value));
  });
  return json;
}

SchedulerConfig with_class(const SchedulerConfig& config, SchedulerClass type) {
  if (type == config.type) return config;
  // Only keys the file held, and members that were changed since, are handed on.
  const Json now = to_json(config);
  const SchedulerConfig plain = defaults_of(config.type, config.class_name);
  const Json usual = to_json(plain);
  Json json = Json::object();
  for (const auto& [key, value] : now.as_object()) {
    const Json* common = usual.find(key);
    if (config.file.find(key) || !common || !(*common == value)) json.set(key, value);
  }
  std::string class_name = config.class_name;
  for (const ClassName& known : kClasses)
    if (known.type == type) class_name = known.class_name;
  json.set("_class_name", class_name);
  return read(json, type, class_name, config.class_name);
}

bool is_flow(const SchedulerConfig& config) {
  const bool can_choose = config.type == SchedulerClass::dpm_multistep || config.type == SchedulerClass::unipc;
  return config.type == SchedulerClass::flow_euler || (can_choose && config.use_flow_sigmas);
}

Prediction prediction_of(const SchedulerConfig& config) {
  return config.type == SchedulerClass::flow_euler ? Prediction::flow : config.prediction_type;
}

NoiseSchedule training_schedule(const SchedulerConfig& config) {
  if (!is_flow(config)) return NoiseSchedule(config.noise);
  require<ValueError>(!config.use_dynamic_shifting,
                      "{}: use_dynamic_shifting is not supported: the shift would depend on the picture's size; set it "
                      "to false and shift to a number",
                      config.class_name);
  return NoiseSchedule::flow(config.noise.num_train_timesteps,
                             config.type == SchedulerClass::flow_euler ? config.shift : config.flow_shift);
}

}  // namespace plumb
