#include "apps/sample/points.h"

#include <cstdio>

#include "apps/common/output_dir.h"
#include "apps/common/plot/save.h"
#include "apps/common/progress.h"
#include "apps/sample/draw_points.h"
#include "diffusion/point_model.h"
#include "diffusion/sampler/sampler.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/io/safetensors.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/lora/adapter_file.h"

namespace plumb {
namespace {

/// The settings as points have them.
struct Settings : SampleSettings {
  SamplerOptions options = {};

  explicit Settings(const SampleSettings& given) : SampleSettings(given) {
    require<UsageError>(given.sampler == "auto" || given.sampler == "ddim" || given.sampler == "ddpm",
                        "sample: --sampler expects ddim or ddpm for points (got \"{}\")", given.sampler);
    options.kind = given.sampler == "ddpm" ? SamplerKind::ddpm : SamplerKind::ddim;
    options.steps = given.steps;
    options.eta = given.eta;
    options.spacing = given.spacing == "auto" ? TimestepSpacing::trailing : timestep_spacing_from_name(given.spacing);
    options.guidance_scale = given.guidance_scale.value_or(1);
  }
};

constexpr const char* kAdapter = "sampled";

/// Samples that go through the network together, to bound memory.
constexpr int64_t kBatch = 16384;

void check_guidance(const Settings& s, int64_t classes) {
  const bool guided = s.options.guidance_scale != 1;
  require<UsageError>(!guided || s.negative_class,
                      "sample: --guidance_scale {} needs a class to be guided away from; give --negative_class",
                      s.options.guidance_scale);
  require<UsageError>(!s.negative_class || (guided && *s.negative_class < classes),
                      "sample: --negative_class {} needs a --guidance_scale other than 1 and a model with that class "
                      "({} classes)",
                      *s.negative_class, classes);
}

Tensor make_labels(int64_t label, int64_t count, int64_t classes) {
  if (classes == 0) return {};
  Tensor labels = empty({count}, DType::i64);
  for (int64_t i = 0; i < count; ++i) labels.mutable_data<int64_t>()[i] = label < 0 ? i % classes : label;
  return labels;
}

Tensor initial_noise(const Settings& s, const RandomKey& key, int64_t dimensions) {
  if (s.rng == "plumb") return randn(key.fork("noise"), {s.num_samples, dimensions});
  Generator generator(uint64_t(s.global.seed));
  return randn(generator, {s.num_samples, dimensions});
}

/// Batch by batch; a sample's draws depend on its own row alone.
Tensor draw(PointModel& model, const NoiseSchedule& schedule, const Settings& s, const Tensor& labels) {
  const RandomKey key = RandomKey{.seed = uint64_t(s.global.seed)}.fork("sample");
  const Tensor noise = initial_noise(s, key, model.network->options().dimensions);
  SamplerOptions options = s.options;
  options.prediction = model.prediction;
  Progress progress({.description = "Samples", .total = s.num_samples, .quiet = s.global.quiet});
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < s.num_samples; begin += kBatch) {
    const int64_t end = std::min(begin + kBatch, s.num_samples);
    SamplerStart start{.noise = slice(noise, 0, begin, end), .key = key.fork("steps").at_sample(uint64_t(begin))};
    if (labels.defined()) start.condition.labels = slice(labels, 0, begin, end);
    if (s.negative_class) start.negative.labels = full({end - begin}, double(*s.negative_class), DType::i64);
    parts.push_back(sample(*model.network, schedule, start, options));
    progress.update(end);
  }
  const Tensor samples = cat(parts, 0);
  require<UnhealthyError>(all(isfinite(samples), {}, false).item<bool>(),
                          "sample: samples are not finite ({}); the model is broken, or --guidance_scale too large",
                          s.model);
  return samples;
}

/// What other programs look for under "parameters": one line of "Name: value".
std::string describe(const Settings& s, const PointModel& model) {
  std::string text =
      fmt::format("Steps: {}, Sampler: {}, Timestep spacing: {}, Eta: {}, CFG scale: {}, Class: {}, ", s.options.steps,
                  s.options.kind == SamplerKind::ddim ? "DDIM" : "DDPM", name_of(s.options.spacing), s.options.eta,
                  s.options.guidance_scale, model.network->options().classes > 0 ? s.classes : "none");
  if (s.negative_class) text += fmt::format("Negative class: {}, ", *s.negative_class);
  if (!s.adapter.empty()) text += fmt::format("Adapter: {}, ", s.adapter);
  return text + fmt::format("Seed: {}, RNG: {}, Samples: {}, Model: {}", s.global.seed, s.rng, s.num_samples, s.model);
}

}  // namespace

void sample_points(const Flags& flags, const SampleSettings& given, Device device) {
  refuse_picture_flags(flags);
  const Settings settings(given);
  PointModel model = load_point_model(settings.model);
  if (!settings.adapter.empty()) load_adapter(*model.network, kAdapter, settings.adapter);
  to_device(*model.network, device);
  const AdapterScope scope(*model.network, settings.adapter.empty() ? "none" : kAdapter);
  const int64_t classes = model.network->options().classes;
  const int64_t label = chosen_class(settings, classes);
  check_guidance(settings, classes);
  const NoiseSchedule schedule(model.schedule);
  sampling_timesteps({model.schedule.num_train_timesteps, settings.options.steps, settings.options.spacing});
  const OutputDir out(settings.global.out);
  write_config(out / "config.toml", "sample", flags.resolved());

  const Tensor labels = make_labels(label, settings.num_samples, classes);
  const Tensor samples = draw(model, schedule, settings, labels);
  const std::string parameters = describe(settings, model);
  TensorMap tensors{{"samples", samples}};
  if (labels.defined()) tensors.emplace("labels", labels);
  save_safetensors(out / "samples.safetensors", tensors, {{"format", "pt"}, {"parameters", parameters}});
  if (samples.size(1) >= 2) {
    const std::string caption = fmt::format("{} steps, guidance {}, seed {}", settings.options.steps,
                                            settings.options.guidance_scale, settings.global.seed);
    const std::string title = fmt::format("{} samples", settings.num_samples);
    plot::save(draw_points(samples, labels, title, caption), out / "samples", 2,
               {{"parameters", parameters}, {"plumb", to_json(flags.resolved()).dump()}});
  }
  if (!settings.global.quiet) std::printf("samples: %s\n", (out / "samples.safetensors").c_str());
}

}  // namespace plumb
