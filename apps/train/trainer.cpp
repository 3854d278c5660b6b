#include "apps/train/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/common/progress.h"
#include "apps/common/signals.h"
#include "autograd/backward.h"
#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/optim/clip.h"

namespace plumb::train {
namespace {

namespace fs = std::filesystem;

PointDenoiserOptions network_options(const Settings& settings, const PointData& data) {
  PointDenoiserOptions options = settings.network;
  options.dimensions = data.points.size(1);
  options.classes = data.classes;
  return options;
}

FoundCheckpoint read_checkpoint(const std::string& path) {
  Json manifest = verify_directory(path);
  const int64_t step = manifest.at("step").as_integer();
  return {path, step, std::move(manifest)};
}

/// The newest whole checkpoint of the folder. Throws UsageError when there are checkpoints and all are broken.
std::optional<FoundCheckpoint> find_latest(const OutputDir& out) {
  std::vector<std::string> broken;
  std::optional<FoundCheckpoint> found = find_checkpoint(out.path(), &broken);
  for (const std::string& reason : broken)
    std::fprintf(stderr, "plumb: warning: passed over a broken checkpoint: %s\n", reason.c_str());
  require<UsageError>(found || broken.empty(), "train: no checkpoint is whole ({}); remove them to start afresh",
                      out.path());
  return found;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Trainer::Trainer(const Settings& settings, const ConfigEntries& resolved, const PointData& data)
    : settings_(settings),
      identity_(identity(settings, resolved, hash_of(data))),
      key_(RandomKey{.seed = uint64_t(settings.global.seed)}.fork("train")),
      generator_(uint64_t(settings.global.seed)),
      model_{std::make_unique<PointDenoiser>(network_options(settings, data), generator_), settings.schedule,
             settings.prediction},
      schedule_(settings.schedule),
      optimizer_(parameters(*model_.network), settings.adam),
      batches_(data, settings.batch, settings.schedule.num_train_timesteps, key_) {
  if (settings.use_ema)
    ema_ = std::make_unique<Ema>(parameters(*model_.network), EmaOptions{.decay = settings.ema_decay});
  rate_at(0);  // refuses a schedule that does not fit its steps
}

void Trainer::resume(const OutputDir& out) {
  std::optional<FoundCheckpoint> found;
  const std::string& from = settings_.resume_from_checkpoint;
  if (from == "latest") {
    found = find_latest(out);
  } else {
    if (!from.empty()) found = read_checkpoint(from);
    std::error_code ignored;
    const bool same_folder = found && fs::equivalent(found->path.parent_path(), out.path(), ignored);
    require<UsageError>(same_folder || !find_checkpoint(out.path()),
                        "train: the output folder holds checkpoints of an earlier run ({}); give "
                        "--resume_from_checkpoint latest to go on, or another --out",
                        out.path());
  }
  if (!found) return;
  const Json* saved = found->manifest.find("run");
  require<UsageError>(saved && saved->is_object(), "train: {} was not made by plumb train", found->path.string());
  check_same_run(found->path.string(), *saved, identity_);
  require<UsageError>(found->step <= settings_.steps(), "train: {} is past --max_train_steps {}; give more steps",
                      found->path.string(), settings_.steps());
  load_checkpoint(found->path, state());
  first_ = found->step;
  good_ = found->path.string();
  if (!settings_.global.quiet) std::fprintf(stderr, "resuming from %s\n", good_.c_str());
}

double Trainer::rate_at(int64_t step) const { return settings_.adam.learning_rate * lr_factor(step, settings_.lr); }

void Trainer::require_healthy(bool healthy, const std::string& what, int64_t step) const {
  if (healthy) [[likely]]
    return;
  raise<UnhealthyError>("train: {} (step {}); {}, lower --learning_rate or set --max_grad_norm", what, step,
                        good_.empty() ? "no checkpoint was written yet" : "the last good checkpoint is " + good_);
}

void Trainer::require_finite_weights(int64_t step) {
  for (const ParameterArena::Group& group : optimizer_.arena().groups())
    require_healthy(all(isfinite(group.weights()), {}, false).item<bool>(), "the weights are not finite", step);
}

Trainer::StepResult Trainer::train_step(int64_t step) {
  optimizer_.zero_grad();
  const Variable loss = denoising_loss(*model_.network, schedule_, settings_.prediction, batches_.at(step));
  backward(loss);
  const Tensor norm = settings_.max_grad_norm > 0 ? clip_grad_norm(optimizer_.arena(), settings_.max_grad_norm)
                                                  : grad_norm(optimizer_.arena());
  const StepResult result{double(loss.value().item<float>()), rate_at(step), norm.item<double>()};
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm))
    require_healthy(false, fmt::format("loss {}, gradient norm {}", std::abs(result.loss), std::abs(result.grad_norm)),
                    step + 1);
  optimizer_.set_learning_rate(result.rate);
  optimizer_.step();
  if (ema_) ema_->update();
  return result;
}

void Trainer::save(const OutputDir& out, int64_t step, RunLog& log) {
  require_finite_weights(step);
  log.sync();  // the log may not fall behind a checkpoint that will be continued
  Json fields = Json::object();
  fields.set("run", identity_);
  save_checkpoint(out.path(), step, state(), fields, settings_.checkpoints_total_limit);
  good_ = out / fmt::format("checkpoint-{}", step);
}

int Trainer::run(const OutputDir& out) {
  const StopOnSignal stop;
  RunLog log(out / "log.jsonl", first_ == 0 ? 0 : first_ + 1);
  if (settings_.report_to == "tensorboard") {
    std::error_code ignored;  // the writer says why it cannot write there
    fs::create_directories(out / "logs", ignored);
    log.add_tensorboard(out / "logs");
  }
  Progress progress({.total = settings_.steps(), .start = first_, .quiet = settings_.global.quiet});
  const double begin = seconds_now();
  double last_loss = std::nan("");
  for (int64_t step = first_; step < settings_.steps(); ++step) {
    const StepResult result = train_step(step);
    last_loss = result.loss;
    log.write(step + 1, {{"loss", result.loss}, {"lr", result.rate}, {"grad_norm", result.grad_norm}});
    progress.update(step + 1,
                    {{"loss", fmt::format("{:.3g}", result.loss)}, {"lr", fmt::format("{:.3g}", result.rate)}});
    const bool due = settings_.checkpointing_steps > 0 && (step + 1) % settings_.checkpointing_steps == 0;
    if (due || stop.requested()) save(out, step + 1, log);
    if (stop.requested()) return stop.exit_code();
  }
  finish(out, last_loss, seconds_now() - begin);
  return kExitDone;
}

void Trainer::finish(const OutputDir& out, double last_loss, double seconds) {
  require_finite_weights(settings_.steps());
  if (ema_) ema_->copy_to_weights();
  save_point_model(out / "model", model_);
  const int64_t done = settings_.steps() - first_;
  Json metrics = Json::object();
  metrics.set("step", settings_.steps()).set("loss", last_loss).set("seed", settings_.global.seed);
  metrics.set("parameters", count(parameters(*model_.network))).set("first_step", first_).set("seconds", seconds);
  metrics.set("samples_per_s", seconds > 0 ? double(done * settings_.batch) / seconds : 0.0);
  write_metrics(out / "metrics.json", metrics.set("settings", identity_));
}

}  // namespace plumb::train
