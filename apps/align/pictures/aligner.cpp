#include "apps/align/pictures/aligner.h"

#include <algorithm>
#include <filesystem>

#include "align/perturb_init.h"
#include "apps/common/memory_report.h"
#include "apps/common/picture_image.h"
#include "apps/common/picture_shape.h"
#include "apps/train/pictures/model.h"
#include "autograd/grad_mode.h"
#include "diffusion/denoising_loss.h"
#include "engine/format.h"
#include "engine/io/png.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/lora/adapter_file.h"

namespace plumb {
namespace {

/// On the device and in the type that computes; the unet follows when it is known which of its weights are trained.
Pipeline placed(Pipeline pipeline, const PictureAlignSettings& settings) {
  pipeline.unet->set_gradient_checkpointing(settings.gradient_checkpointing);
  for (const PipelineModule& part : modules_of(pipeline)) {
    if (part.module == pipeline.unet.get()) continue;
    to_device(*part.module, settings.models.device);
    set_requires_grad(*part.module, false);
    const DType dtype = settings.models.dtype;
    const bool converted = part.module != pipeline.vae.get() || pipeline.vae->options().dtype_for(dtype) == dtype;
    if (converted) to_dtype(*part.module, dtype, /*keep_master=*/false);
  }
  return pipeline;
}

/// Whether the method has a use for c-.
bool reads_negatives(const PictureAlignSettings& settings, const Objective& objective) {
  return objective.uses_losers() && settings.models.policy.name == "training_free";
}

PairReaderOptions reader_options(const PictureAlignSettings& settings, const Objective& objective,
                                 const PreferenceDataset& data) {
  // Pairs that take the noise as target need no c- of their own.
  const bool own = data.has_negatives() || !settings.trainer.random_conditions.others_take_noise;
  PairReaderOptions options{.transform = settings.transform,
                            .independent_transforms = settings.independent_transforms,
                            .losers = objective.uses_losers() && !data.is_unpaired(),
                            .negatives = reads_negatives(settings, objective) && own,
                            .proportion_empty_prompts = settings.proportion_empty_prompts,
                            .cache_latents = settings.cache_latents,
                            .workers = settings.workers,
                            .memory = uint64_t(settings.memory_mib) << 20,
                            .device = settings.models.device,
                            .quiet = settings.global.quiet};
  if (settings.objective.name == "self_dpo") options.downgrade = settings.downgrade;
  return options;
}

/// A policy pair that is made when its data can be read.
class LatePolicy final : public PolicyPair {
 public:
  Tensor targets(const NoisedPairs& batch, const Tensor& initial_prediction) override {
    return made->targets(batch, initial_prediction);
  }

  std::unique_ptr<PolicyPair> made;
};

std::unique_ptr<PolicyPair> policy_for(const std::string& name) {
  if (name == "forward") return make_forward_process_pair();
  if (name == "training_free") return make_training_free_pair();
  return std::make_unique<LatePolicy>();
}

/// The first batch finds the place that all others write to.
void place_rows(Tensor& kept, const std::vector<Tensor>& parts) {
  if (!parts.front().defined()) return;
  const Tensor found = parts.size() == 1 ? parts.front() : cat(parts, 0);
  if (kept.defined())
    kept.copy_(found);
  else
    kept = found.clone();
}

template <class Get>
void place_rows(Tensor& kept, const std::vector<PreferencePairs>& parts, Get&& get) {
  std::vector<Tensor> rows;
  for (const PreferencePairs& part : parts) rows.push_back(get(part));
  place_rows(kept, rows);
}

void place_condition(Condition& kept, const std::vector<PreferencePairs>& parts,
                     Condition PreferencePairs::*condition) {
  place_rows(kept.labels, parts, [&](const PreferencePairs& part) { return (part.*condition).labels; });
  place_rows(kept.context, parts, [&](const PreferencePairs& part) { return (part.*condition).context; });
  place_rows(kept.pooled, parts, [&](const PreferencePairs& part) { return (part.*condition).pooled; });
  place_rows(kept.time_ids, parts, [&](const PreferencePairs& part) { return (part.*condition).time_ids; });
}

}  // namespace

PictureAligner::PictureAligner(const PictureAlignSettings& settings, Json identity, const PictureAlignData& data,
                               Pipeline pipeline)
    : PreferenceRun(settings, std::move(identity),
                    RandomKey{.seed = uint64_t(settings.global.seed)}.fork("align pictures")),
      settings_(settings),
      data_(data),
      objective_settings_(objective_settings(settings.objective, settings.models.policy.name,
                                             numel(sample_shape(pipeline, settings.transform.resolution)))),
      objective_(make_objective(settings.objective.name, objective_settings_)),
      pipeline_(placed(std::move(pipeline), settings)),
      schedule_(training_schedule(pipeline_.scheduler)),
      prediction_(prediction_of(pipeline_.scheduler)),
      order_(data.train, rows_read(), settings.trainer.wanted_share, key()),
      reader_(reader_options(settings, *objective_, data.train), data.train, pipeline_,
              [this](int64_t batch) { return plan(batch); }) {
  if (data.random_prompts) random_prompts_ = std::make_unique<RandomPrompts>(*data.random_prompts, pipeline_);
  if (data.validation)
    held_out_ = std::make_unique<HeldOut>(settings, reader_options(settings, *objective_, *data.validation),
                                          *data.validation, pipeline_, key().fork("validation"));
  if (settings.validation_steps > 0)
    samples_ = std::make_unique<SampleGrid>(SampleGridOptions{.prompts = settings.validation_prompts,
                                                              .count = settings.num_validation_images,
                                                              .steps = settings.num_inference_steps,
                                                              .guidance_scale = settings.guidance_scale,
                                                              .seed = settings.global.seed,
                                                              .resolution = settings.transform.resolution,
                                                              .device = settings.models.device},
                                            pipeline_);
  require<UsageError>(
      settings.cache_reference == 0 || objective_->takes_reference_errors(),
      "align: --cache_reference keeps the reference's errors, which are not what {} reads; leave it out "
      "(diffusion_dpo, ddspo and self_dpo take them)",
      objective_->name());
  tuned_ =
      std::make_unique<FineTuned>(std::move(pipeline_.unet), settings.models.tuning(adapter_targets(settings)), key());
  policy_ = policy_for(settings.models.policy.name);
  optimizer_ = make_optimizer(tuned_->trained(), settings.optimizer);
  if (settings.use_ema) ema_ = std::make_unique<Ema>(tuned_->trained(), EmaOptions{.decay = settings.ema_decay});
  PreferenceTrainerOptions options = settings.trainer;
  options.prediction = prediction_;
  trainer_ = std::make_unique<PreferenceTrainer>(PreferenceModels{.student = &tuned_->student(),
                                                                  .initial = &tuned_->initial(),
                                                                  .objective = objective_.get(),
                                                                  .policy = policy_.get(),
                                                                  .schedule = &schedule_,
                                                                  .optimizer = optimizer_.get(),
                                                                  .moving = tuned_->moving()},
                                                 options);
  if (settings.perturb_init > 0) perturb_weights(tuned_->trained(), settings.perturb_init, key().fork("perturb init"));
  work_on({.trainer = trainer_.get(),
           .optimizer = optimizer_.get(),
           .objective = objective_.get(),
           .objective_settings = &objective_settings_,
           .kept = &tuned_->kept(),
           .ema = ema_.get(),
           .num_train_timesteps = schedule_.num_train_timesteps()});
}

int64_t PictureAligner::rows_read() const {
  const bool together =
      settings_.trainer.statistics == StatisticsScope::effective_batch && settings_.objective.name == "self_dpo";
  return together ? settings_.effective_batch() : settings_.batch;
}

PairPlan PictureAligner::plan(int64_t batch) {
  const int64_t parts = settings_.effective_batch() / rows_read();
  batch = draws_of(batch / parts) * parts + batch % parts;
  return {order_.at(batch), key().at_step(uint64_t(batch / parts)).at_sample(uint64_t(batch % parts * rows_read()))};
}

void PictureAligner::go_to(int64_t step) {
  const int64_t count = settings_.effective_batch() / rows_read();
  std::vector<PreferencePairs> parts;
  for (int64_t part = 0; part < count; ++part) parts.push_back(reader_.at(step * count + part));
  place_rows(pairs_.winners, parts, [](const PreferencePairs& part) { return part.winners; });
  place_rows(pairs_.losers, parts, [](const PreferencePairs& part) { return part.losers; });
  place_rows(pairs_.labels, parts, [](const PreferencePairs& part) { return part.labels; });
  place_condition(pairs_.condition, parts, &PreferencePairs::condition);
  place_condition(pairs_.negative, parts, &PreferencePairs::negative);
  if (!reference_) return;
  const FrozenRows rows = reference_->at(draws_of(step));
  place_rows(frozen_.errors, {rows.errors.to(settings_.models.device)});
  if (rows.targets.defined()) place_rows(frozen_.targets, {rows.targets.to(settings_.models.device)});
}

int64_t PictureAligner::draws_of(int64_t step) const {
  if (settings_.cache_reference == 0) return step;
  return step % steps_of_draws(settings_.cache_reference, order_.count(), settings_.effective_batch());
}

void PictureAligner::prepare(const OutputDir& out) {
  const std::string caches = out / "cache";
  reader_.prepare(caches);
  if (held_out_) held_out_->prepare(caches);
  if (random_prompts_)
    random_prompts_->give_to(*trainer_, caches, settings_.models.device, reads_negatives(settings_, *objective_),
                             settings_.global.quiet);
  if (settings_.models.policy.name == "data_driven" && objective_->uses_losers()) train_policy();
  if (settings_.cache_reference > 0) cache_reference(caches);
  set_reference_error(measure_reference_error());
  if (!samples_) return;
  before_ = samples_->draw(tuned_->initial());
}

void PictureAligner::train_policy() {
  const PairSource source{order_.count(), [this](const Tensor& index, const RandomKey& drawn) {
                            return reader_.take({index.to(kCpu).to_vector<int64_t>(), drawn});
                          }};
  DataDrivenOptions options = settings_.models.policy.data_driven;
  options.prediction = prediction_;
  options.targets = adapter_targets(settings_);
  static_cast<LatePolicy&>(*policy_).made =
      make_data_driven_pair(tuned_->network(), schedule_, source, key().fork("data-driven pair"), options);
}

void PictureAligner::cache_reference(const std::string& folder) {
  const Reduction reduction = sums_elements(objective_settings_) ? Reduction::sum : Reduction::mean;
  const int64_t steps = steps_of_draws(settings_.cache_reference, order_.count(), settings_.effective_batch());
  const Shape& shape = reader_.shape();
  const ReferenceCache::Options options{.folder = folder,
                                        .key = sha256_hex(identity().dump() + train::weights_hash(tuned_->network())),
                                        .steps = std::min(steps, settings_.steps()),
                                        .pairs = settings_.effective_batch(),
                                        .elements = policy_->is_forward_process() ? 0 : shape[0] * shape[1] * shape[2],
                                        .quiet = settings_.global.quiet};
  auto made = std::make_unique<ReferenceCache>(options, [&](int64_t step) {
    go_to(step);
    return trainer_->frozen_rows(pairs_, key().at_step(uint64_t(step)), reduction);
  });
  reference_ = std::move(made);
}

double PictureAligner::measure_reference_error() {
  // Known to a tenth where the steps are small: it is compared with twice as much.
  const int64_t samples = std::min<int64_t>(256, 16 * settings_.effective_batch());
  const NoGrad no_grad;
  const RandomKey drawn_from = key().fork("reference error");
  const Device device = settings_.models.device;
  double sum = 0;
  int64_t count = 0;
  for (int64_t batch = 0; count < samples; ++batch) {
    const PreferencePairs found =
        data_.train.is_unpaired() ? reader_.take({order_.winners(batch), plan(batch).key}) : reader_.at(batch);
    for (int64_t begin = 0; begin < found.size() && count < samples; begin += settings_.batch) {
      const int64_t end = std::min(begin + settings_.batch, found.size());
      const Tensor x0 = slice(found.winners, 0, begin, end);
      const RandomKey drawn = drawn_from.at_sample(uint64_t(count));
      const Variable error = denoising_loss(tuned_->initial(), schedule_, prediction_,
                                            {.x0 = x0,
                                             .noise = randn(drawn.fork("noise"), x0.shape(), DType::f32, device),
                                             .t = trainer_->timesteps().draw(drawn, end - begin, device),
                                             .condition = found.condition.rows(begin, end)});
      sum += error.value().item() * double(end - begin);
      count += end - begin;
    }
  }
  const Shape& shape = reader_.shape();
  return sum / double(count) * (sums_elements(objective_settings_) ? double(shape[0] * shape[1] * shape[2]) : 1.0);
}

HeldOut::Found PictureAligner::measure_held_out() {
  return held_out_->measure({tuned_->student(), tuned_->initial(), schedule_, prediction_});
}

bool PictureAligner::looks_at(int64_t step) const {
  return settings_.validation_steps > 0 && step > 0 && step % settings_.validation_steps == 0;
}

void PictureAligner::look_at(int64_t step, Step& done) {
  std::optional<EmaScope> averaged;
  if (ema_) averaged.emplace(*ema_);
  if (held_out_)
    for (const auto& number : HeldOut::log_of(measure_held_out())) done.log.push_back(number);
  samples_->write_step(settings_.global.out + "/samples", step, tuned_->student());
}

void PictureAligner::finish(const OutputDir& out, double seconds) {
  Json found = metrics(int64_t(data_.train.samples.size()), count(tuned_->trained()), seconds);
  found.set("rows_skipped", data_.train.skipped.size()).set("ties_left_out", data_.train.ties);
  if (ema_) ema_->copy_to_weights();
  if (held_out_) {
    Json validation = Json::object();
    for (const auto& [name, value] : HeldOut::log_of(measure_held_out())) validation.set(name, value);
    found.set("validation", validation);
  }
  if (samples_) {
    std::vector<Image> strip = before_;
    for (Image& after : samples_->draw(tuned_->student())) strip.push_back(std::move(after));
    const GridOptions rows{.columns = int64_t(before_.size()), .gap = 2, .ground = 255};
    write_png(out / "before_after.png", grid_of(strip, rows),
              {{"parameters", samples_->facts() + "\nabove before, below after"}});
  }
  if (tuned_->use_lora()) save_adapter(out / "adapter", tuned_->kept(), kStudentAdapter);
  pipeline_.unet.reset(static_cast<PictureDenoiser*>(tuned_->take(settings_.merge_lora).release()));
  to_device(pipeline_, kCpu);
  save_pipeline(out / "model", pipeline_);
  write_metrics(out / "metrics.json",
                found.set("memory", memory_report(settings_.models.device)).set("settings", identity()));
}

}  // namespace plumb
