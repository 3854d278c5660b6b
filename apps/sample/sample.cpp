#include "apps/sample/sample.h"

#include <charconv>
#include <cstdio>

#include "apps/common/globals.h"
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

struct Settings {
  GlobalFlags global{.out = "runs/sample"};
  std::string model = {};
  std::string adapter = {};
  int64_t num_samples = 2000;
  std::string classes = "all";
  std::optional<int64_t> negative_class = {};
  SamplerOptions sampler = {};
  std::string rng = "plumb";
};

constexpr const char* kAdapter = "sampled";

/// Samples that go through the network together, to bound memory.
constexpr int64_t kBatch = 16384;

void add_flags(Flags& flags, Settings& s) {
  flags.add("--model", s.model, "model folder, as plumb train writes it").shown_as("FOLDER").required();
  flags.add("--adapter", s.adapter, "low-rank adapter to sample with, as plumb align --use_lora writes it")
      .shown_as("PATH");
  flags.add("--num_samples", s.num_samples, "points in all", between(1, 100'000'000));
  flags.add("--class", s.classes, "a class label, or all: the classes in turn").shown_as("L|all");
  flags.add_choice("--sampler", s.sampler.kind, {{"ddim", SamplerKind::ddim}, {"ddpm", SamplerKind::ddpm}},
                   "how noise becomes data");
  flags.add("--num_inference_steps", s.sampler.steps, "steps of the sampler", at_least(1));
  flags.add("--eta", s.sampler.eta, "noise in DDIM's steps: 0 none, 1 as DDPM", non_negative());
  flags.add_choice("--timestep_spacing", s.sampler.spacing,
                   {{"leading", TimestepSpacing::leading},
                    {"linspace", TimestepSpacing::linspace},
                    {"trailing", TimestepSpacing::trailing}},
                   "which training timesteps");
  flags.add("--guidance_scale", s.sampler.guidance_scale, "away from --negative_class, 1: no guidance", non_negative());
  flags.add("--negative_class", s.negative_class, "class to be guided away from", non_negative());
  flags.add("--rng", s.rng, "initial noise of --seed", one_of({"plumb", "torch"}));
  flags.add_global(s.global);
  flags.example("plumb sample --model runs/ring/model --num_inference_steps 20 --out runs/ring/samples");
}

/// The label every sample has, or -1 for all classes in turn. Throws UsageError.
int64_t read_class(const Settings& s, int64_t classes) {
  if (s.classes == "all") return -1;
  int64_t label = -1;
  const char* end = s.classes.data() + s.classes.size();
  const auto [rest, code] = std::from_chars(s.classes.data(), end, label);
  require<UsageError>(classes > 0, "sample: --class {} for a model without classes; leave it out", s.classes);
  require<UsageError>(code == std::errc() && rest == end && label >= 0 && label < classes,
                      "sample: --class expects all or a label in [0, {}) (got \"{}\")", classes, s.classes);
  return label;
}

void check_guidance(const Settings& s, int64_t classes) {
  const bool guided = s.sampler.guidance_scale != 1;
  require<UsageError>(!guided || s.negative_class,
                      "sample: --guidance_scale {} needs a class to be guided away from; give --negative_class",
                      s.sampler.guidance_scale);
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
  SamplerOptions options = s.sampler;
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
      fmt::format("Steps: {}, Sampler: {}, Timestep spacing: {}, Eta: {}, CFG scale: {}, Class: {}, ", s.sampler.steps,
                  s.sampler.kind == SamplerKind::ddim ? "DDIM" : "DDPM", name_of(s.sampler.spacing), s.sampler.eta,
                  s.sampler.guidance_scale, model.network->options().classes > 0 ? s.classes : "none");
  if (s.negative_class) text += fmt::format("Negative class: {}, ", *s.negative_class);
  if (!s.adapter.empty()) text += fmt::format("Adapter: {}, ", s.adapter);
  return text + fmt::format("Seed: {}, RNG: {}, Samples: {}, Model: {}", s.global.seed, s.rng, s.num_samples, s.model);
}

}  // namespace

int run_sample(const Arguments& arguments) {
  Settings settings;
  Flags flags("sample", "draws points from a trained model");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(settings.global, RunsOn::cpu_and_cuda);

  PointModel model = load_point_model(settings.model);
  if (!settings.adapter.empty()) load_adapter(*model.network, kAdapter, settings.adapter);
  to_device(*model.network, device);
  const AdapterScope scope(*model.network, settings.adapter.empty() ? "none" : kAdapter);
  const int64_t classes = model.network->options().classes;
  const int64_t label = read_class(settings, classes);
  check_guidance(settings, classes);
  const NoiseSchedule schedule(model.schedule);
  sampling_timesteps({model.schedule.num_train_timesteps, settings.sampler.steps, settings.sampler.spacing});
  const OutputDir out(settings.global.out);
  write_config(out / "config.toml", "sample", flags.resolved());

  const Tensor labels = make_labels(label, settings.num_samples, classes);
  const Tensor samples = draw(model, schedule, settings, labels);
  const std::string parameters = describe(settings, model);
  TensorMap tensors{{"samples", samples}};
  if (labels.defined()) tensors.emplace("labels", labels);
  save_safetensors(out / "samples.safetensors", tensors, {{"format", "pt"}, {"parameters", parameters}});
  if (samples.size(1) >= 2) {
    const std::string caption = fmt::format("{} steps, guidance {}, seed {}", settings.sampler.steps,
                                            settings.sampler.guidance_scale, settings.global.seed);
    const std::string title = fmt::format("{} samples", settings.num_samples);
    plot::save(draw_points(samples, labels, title, caption), out / "samples", 2,
               {{"parameters", parameters}, {"plumb", to_json(flags.resolved()).dump()}});
  }
  if (!settings.global.quiet) std::printf("samples: %s\n", (out / "samples.safetensors").c_str());
  return kExitDone;
}

}  // namespace plumb
