#include "apps/train/pictures/trainer.h"

#include <cmath>

#include "apps/common/memory_report.h"
#include "apps/common/run_identity.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "nn/optim/clip.h"
#include "nn/read_together.h"

namespace plumb::train {
namespace {

TrainingRunOptions run_options(const PictureSettings& settings) {
  return {.verb = "train",
          .steps = settings.steps(),
          .checkpoints = settings.checkpoints,
          .health = settings.health,
          .quiet = settings.global.quiet,
          .device = settings.device};
}

/// The settings that decide what a run computes, with hashes of its data and of the model it begins with.
Json identity_of(const PictureSettings& settings, const ConfigEntries& resolved, const PictureDataset& data,
                 const Pipeline& pipeline) {
  std::vector<std::string_view> left_out = {"train_data_dir",      "pretrained_model_name_or_path",
                                            "unet_config",         "dataloader_num_workers",
                                            "dataloader_memory",   "validation_steps",
                                            "validation_prompts",  "num_validation_images",
                                            "num_inference_steps", "guidance_scale"};
  const LrScheduleKind kind = settings.optimizer.lr.kind;
  const bool endless = kind == LrScheduleKind::constant || kind == LrScheduleKind::constant_with_warmup ||
                       kind == LrScheduleKind::inverse_sqrt;
  if (settings.max_train_steps || endless) left_out.push_back("num_train_epochs");
  // Checkpoints from before there was a choice go on.
  if (settings.text_init.empty()) left_out.push_back("text_init");
  if (!settings.train_text_encoder) left_out.push_back("train_text_encoder");
  Json identity = run_identity(resolved, kind, left_out);
  Sha256 models;
  for (const PipelineModule& part : modules_of(pipeline)) models.update(part.name + fingerprint(*part.module));
  return identity.set("data_sha256", hash_of(data)).set("model_sha256", models.finish_hex());
}

/// On the device and in the type that computes. What is not trained is frozen and needs no masters.
Pipeline placed(Pipeline pipeline, const PictureSettings& settings) {
  to_device(pipeline, settings.device);
  const DType dtype = compute_dtype(settings.mixed_precision, "train");
  for (const PipelineModule& part : modules_of(pipeline)) {
    const bool text = settings.train_text_encoder && part.module == pipeline.text_encoder.get();
    const bool trained = text || part.module == pipeline.unet.get();
    if (!trained) set_requires_grad(*part.module, false);
    const bool converted = part.module != pipeline.vae.get() || pipeline.vae->options().dtype_for(dtype) == dtype;
    if (converted) to_dtype(*part.module, dtype, trained);
  }
  pipeline.unet->set_gradient_checkpointing(settings.gradient_checkpointing);
  if (settings.train_text_encoder) pipeline.text_encoder->set_gradient_checkpointing(settings.gradient_checkpointing);
  return pipeline;
}

SampleGridOptions grid_options(const PictureSettings& settings, int64_t classes) {
  return {.prompts = settings.validation_prompts,
          .count = settings.num_validation_images,
          .classes = classes,
          .steps = settings.validation_inference_steps,
          .guidance_scale = settings.guidance_scale,
          .seed = settings.global.seed,
          .resolution = settings.transform.resolution,
          .text_changes = settings.train_text_encoder,
          .device = settings.device};
}

}  // namespace

PictureTrainer::PictureTrainer(const PictureSettings& settings, const ConfigEntries& resolved,
                               const PictureDataset& data, Pipeline pipeline)
    : TrainingRun(run_options(settings), identity_of(settings, resolved, data, pipeline)),
      settings_(settings),
      key_(RandomKey{.seed = uint64_t(settings.global.seed)}.fork("train pictures")),
      pipeline_(placed(std::move(pipeline), settings)),
      joint_(settings.train_text_encoder ? std::make_unique<TextDenoiser>(*pipeline_.unet, *pipeline_.text_encoder)
                                         : nullptr),
      schedule_(training_schedule(pipeline_.scheduler)),
      prediction_(prediction_of(pipeline_.scheduler)),
      optimizer_(make_optimizer(parameters(trained()), settings.optimizer)),
      inputs_(settings, data, pipeline_, settings.transform, key_),
      samples_(grid_options(settings, int64_t(data.classes.size())), pipeline_),
      graph_(settings.device, settings.cuda_graph),
      last_loss_(std::nan("")) {
  if (settings.use_ema) ema_ = std::make_unique<Ema>(parameters(trained()), EmaOptions{.decay = settings.ema_decay});
  settings.optimizer.rate_at(0);  // refuses a schedule that does not fit its steps
  if (settings.snr_gamma > 0)
    min_snr_weights(prediction_, schedule_.level(zeros({1}, DType::i64), 1), settings.snr_gamma);
}

PictureTrainer::Found PictureTrainer::gradients(int64_t step) {
  optimizer_->zero_grad();
  Tensor sum;
  for (int64_t part = 0; part < settings_.accumulation; ++part) {
    const RandomKey key = key_.at_step(uint64_t(step)).at_sample(uint64_t(part * settings_.batch));
    pipeline_.unet->set_dropout(key.fork("dropout"));
    const DenoisingBatch batch = inputs_.batch(step, part);
    const Variable loss = min_snr_loss(trained(), schedule_, prediction_, batch, settings_.snr_gamma) *
                          (1.0 / double(settings_.accumulation));
    backward(loss);
    sum = sum.defined() ? sum + loss.value() : loss.value();
  }
  pipeline_.unet->set_dropout(std::nullopt);
  const double limit = settings_.optimizer.max_grad_norm;
  return {sum, limit > 0 ? clip_grad_norm(optimizer_->arena(), limit) : grad_norm(optimizer_->arena())};
}

TrainingRun::Step PictureTrainer::report(int64_t step, const Found& found) {
  const auto numbers = read_together({found.loss, found.grad_norm});
  last_loss_ = numbers[0].front();
  const double grad_norm = numbers[1].front();
  // Who predicts zeros is wrong by 1, the variance of noise: twice that is worse than knowing nothing.
  return {.health = {.loss = last_loss_, .grad_norm = grad_norm, .error = last_loss_, .reference_error = 1.0},
          .log = {{"loss", last_loss_}, {"lr", settings_.optimizer.rate_at(step)}, {"grad_norm", grad_norm}}};
}

TrainingRun::Step PictureTrainer::compute(int64_t step) {
  inputs_.go_to(step);
  return report(step, gradients(step));
}

void PictureTrainer::apply(int64_t step, Step&) {
  optimizer_->set_learning_rate(settings_.optimizer.rate_at(step));
  optimizer_->step();
  if (ema_) ema_->update();
  validate(step + 1);
}

std::optional<TrainingRun::Step> PictureTrainer::whole_step(int64_t step) {
  if (!graph_.is_enabled()) return std::nullopt;
  inputs_.go_to(step);
  optimizer_->set_learning_rate(settings_.optimizer.rate_at(step));
  const Found found = graph_.run(step, this, [this](int64_t drawn) {
    const Found now = gradients(drawn);
    const Tensor skip = logical_or(plumb::not_finite(now.grad_norm), plumb::not_finite(now.loss.to(DType::f64)));
    optimizer_->step(skip);
    if (ema_) ema_->update(skip);
    return now;
  });
  Step done = report(step, found);
  validate(step + 1);
  return done;
}

void PictureTrainer::validate(int64_t step) {
  if (settings_.validation_steps <= 0 || step % settings_.validation_steps != 0) return;
  std::optional<EmaScope> averaged;
  if (ema_) averaged.emplace(*ema_);
  samples_.write_step(settings_.global.out + "/samples", step, *pipeline_.unet);
}

void PictureTrainer::finish(const OutputDir& out, double seconds) {
  if (ema_) ema_->copy_to_weights();
  save_pipeline(out / "model", pipeline_);
  const int64_t done = settings_.steps() - first_step();
  Json metrics = Json::object();
  metrics.set("step", settings_.steps()).set("loss", last_loss_).set("seed", settings_.global.seed);
  metrics.set("not_finite", not_finite()).set("parameters", count(parameters(trained())));
  metrics.set("first_step", first_step()).set("seconds", seconds);
  metrics.set("samples_per_s", seconds > 0 ? double(done * settings_.effective_batch()) / seconds : 0.0);
  write_metrics(out / "metrics.json",
                metrics.set("memory", memory_report(settings_.device)).set("settings", identity()));
}

}  // namespace plumb::train
