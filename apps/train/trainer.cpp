#include "apps/train/trainer.h"

#include <cmath>

#include "apps/common/memory_report.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/ops.h"
#include "nn/optim/clip.h"
#include "nn/read_together.h"

namespace plumb::train {
namespace {

PointDenoiserOptions network_options(const Settings& settings, const PointData& data) {
  PointDenoiserOptions options = settings.network;
  options.dimensions = data.points.size(1);
  options.classes = data.classes;
  return options;
}

/// Initialised on the CPU in f32, then moved.
PointModel make_model(const Settings& settings, const PointData& data, Generator& generator) {
  PointModel model{std::make_unique<PointDenoiser>(network_options(settings, data), generator), settings.schedule,
                   settings.prediction};
  to_device(*model.network, settings.device);
  to_dtype(*model.network, compute_dtype(settings.mixed_precision, "train"));
  return model;
}

TrainingRunOptions run_options(const Settings& settings) {
  return {.verb = "train",
          .steps = settings.steps(),
          .checkpoints = settings.checkpoints,
          .health = settings.health,
          .quiet = settings.global.quiet,
          .device = settings.device};
}

}  // namespace

Trainer::Trainer(const Settings& settings, const ConfigEntries& resolved, const PointData& data)
    : TrainingRun(run_options(settings), train::identity(settings, resolved, hash_of(data))),
      settings_(settings),
      key_(RandomKey{.seed = uint64_t(settings.global.seed)}.fork("train")),
      data_(data.to(settings.device)),
      generator_(uint64_t(settings.global.seed)),
      model_(make_model(settings, data, generator_)),
      schedule_(settings.schedule),
      optimizer_(make_optimizer(parameters(*model_.network), settings.optimizer)),
      batches_(data_, settings.batch, settings.schedule.num_train_timesteps, key_),
      graph_(settings.device, settings.cuda_graph),
      last_loss_(std::nan("")) {
  if (settings.use_ema)
    ema_ = std::make_unique<Ema>(parameters(*model_.network), EmaOptions{.decay = settings.ema_decay});
  settings.optimizer.rate_at(0);  // refuses a schedule that does not fit its steps
  untrained_error_ = measure_error();
}

Variable Trainer::loss_of(const DenoisingBatch& batch) {
  return denoising_loss(*model_.network, schedule_, settings_.prediction, batch);
}

double Trainer::measure_error() {
  constexpr int64_t kSamples = 1024;
  const NoGrad no_grad;
  const int64_t batches = (kSamples + settings_.batch - 1) / settings_.batch;
  double sum = 0;
  for (int64_t i = 0; i < batches; ++i) sum += loss_of(batches_.at(i)).value().item();
  return sum / double(batches);
}

Trainer::Found Trainer::gradients(int64_t step) {
  optimizer_->zero_grad();
  const Variable loss = loss_of(batches_.batch(step));
  backward(loss);
  const double limit = settings_.optimizer.max_grad_norm;
  const Tensor norm = limit > 0 ? clip_grad_norm(optimizer_->arena(), limit) : grad_norm(optimizer_->arena());
  return {loss.value(), norm};
}

TrainingRun::Step Trainer::report(int64_t step, const Found& found) {
  const auto numbers = read_together({found.loss, found.grad_norm});
  last_loss_ = numbers[0].front();
  const double grad_norm = numbers[1].front();
  return {
      .health = {.loss = last_loss_, .grad_norm = grad_norm, .error = last_loss_, .reference_error = untrained_error_},
      .log = {{"loss", last_loss_}, {"lr", settings_.optimizer.rate_at(step)}, {"grad_norm", grad_norm}}};
}

TrainingRun::Step Trainer::compute(int64_t step) {
  batches_.go_to(step);
  return report(step, gradients(step));
}

void Trainer::apply(int64_t step, Step&) {
  optimizer_->set_learning_rate(settings_.optimizer.rate_at(step));
  optimizer_->step();
  if (ema_) ema_->update();
}

std::optional<TrainingRun::Step> Trainer::whole_step(int64_t step) {
  if (!graph_.is_enabled()) return std::nullopt;
  batches_.go_to(step);
  optimizer_->set_learning_rate(settings_.optimizer.rate_at(step));
  const Found found = graph_.run(step, this, [this](int64_t drawn) {
    const Found now = gradients(drawn);
    const Tensor skip = logical_or(plumb::not_finite(now.grad_norm), plumb::not_finite(now.loss.to(DType::f64)));
    optimizer_->step(skip);
    if (ema_) ema_->update(skip);
    return now;
  });
  return report(step, found);
}

void Trainer::finish(const OutputDir& out, double seconds) {
  if (ema_) ema_->copy_to_weights();
  save_point_model(out / "model", model_);
  const int64_t done = settings_.steps() - first_step();
  Json metrics = Json::object();
  metrics.set("step", settings_.steps()).set("loss", last_loss_).set("seed", settings_.global.seed);
  metrics.set("not_finite", not_finite()).set("parameters", count(parameters(*model_.network)));
  metrics.set("first_step", first_step()).set("seconds", seconds);
  metrics.set("samples_per_s", seconds > 0 ? double(done * settings_.batch) / seconds : 0.0);
  write_metrics(out / "metrics.json",
                metrics.set("memory", memory_report(settings_.device)).set("settings", identity()));
}

}  // namespace plumb::train
