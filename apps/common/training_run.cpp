#include "apps/common/training_run.h"

#include <chrono>
#include <cstdio>

#include "apps/common/progress.h"
#include "apps/common/run_identity.h"
#include "apps/common/seconds_now.h"
#include "apps/common/signals.h"
#include "engine/allocator.h"
#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

FoundCheckpoint read_checkpoint(const std::string& path) {
  Json manifest = verify_directory(path);
  const int64_t step = manifest.at("step").as_integer();
  return {path, step, std::move(manifest)};
}

/// The newest whole checkpoint of the folder. Throws UsageError when there are checkpoints and all are broken.
std::optional<FoundCheckpoint> find_latest(const std::string& verb, const OutputDir& out) {
  std::vector<std::string> broken;
  std::optional<FoundCheckpoint> found = find_checkpoint(out.path(), &broken);
  for (const std::string& reason : broken)
    std::fprintf(stderr, "plumb: warning: passed over a broken checkpoint: %s\n", reason.c_str());
  require<UsageError>(found || broken.empty(), "{}: no checkpoint is whole ({}); remove them to start afresh", verb,
                      out.path());
  return found;
}

/// Loss and rate, for the progress line.
Postfix postfix_of(const NamedValues& values) {
  Postfix postfix;
  for (const auto& [name, value] : values)
    if (name == "loss" || name == "lr") postfix.emplace_back(name, fmt::format("{:.3g}", value));
  return postfix;
}

/// How to stop a rule from being broken, or from being applied.
std::string fix_for(const HealthFinding& finding) {
  const std::string cause = finding.rule == "saturation"
                                ? "lower beta or --learning_rate"
                                : "lower --learning_rate, set --max_grad_norm or take fewer steps";
  return fmt::format("go on from there with --resume_with_changes: {}; --health_{} 0 switches the rule off", cause,
                     finding.rule);
}

}  // namespace

TrainingRun::TrainingRun(TrainingRunOptions options, Json identity)
    : options_(std::move(options)),
      identity_(std::move(identity)),
      monitor_(options_.health),
      writer_(options_.checkpoints.async_checkpointing ? CheckpointWriter::kMostCopied : 0) {}

void TrainingRun::resume(const OutputDir& out) {
  std::optional<FoundCheckpoint> found;
  const std::string& from = options_.checkpoints.resume_from_checkpoint;
  if (from == "latest") {
    found = find_latest(options_.verb, out);
  } else {
    if (!from.empty()) found = read_checkpoint(from);
    std::error_code ignored;
    const bool same_folder = found && fs::equivalent(found->path.parent_path(), out.path(), ignored);
    require<UsageError>(same_folder || !find_checkpoint(out.path()),
                        "{}: the output folder holds checkpoints of an earlier run ({}); give "
                        "--resume_from_checkpoint latest to go on, or another --out",
                        options_.verb, out.path());
  }
  if (found) adopt(*found);
}

void TrainingRun::adopt(const FoundCheckpoint& found) {
  const std::string path = found.path.string();
  const Json* saved = found.manifest.find("run");
  const Json* verb = found.manifest.find("verb");
  const bool ours = verb ? *verb == Json(options_.verb) : options_.verb == "train";  // the first ones had no verb
  require<UsageError>(saved && saved->is_object() && ours, "{}: {} was not made by plumb {}", options_.verb, path,
                      options_.verb);
  const std::vector<RunDifference> differences = run_differences(*saved, identity_);
  check_same_run(options_.verb, path, differences, options_.checkpoints.resume_with_changes);
  require<UsageError>(found.step <= options_.steps, "{}: {} is past --max_train_steps {}; give more steps",
                      options_.verb, path, options_.steps);
  load_checkpoint(found.path, state());
  if (const Json* health = found.manifest.find("health")) monitor_.restore(*health);
  if (const StateDict more = load_more(found.path); !more.empty()) restore_more(more);
  first_ = found.step;
  resumed_ = found;
  if (options_.quiet) return;
  std::fprintf(stderr, "resuming from %s\n", path.c_str());
  for (const RunDifference& change : differences)
    std::fprintf(stderr, "resuming with --%s %s (was %s)\n", change.key.c_str(), change.now.c_str(),
                 change.was.c_str());
}

std::string TrainingRun::last_good(int64_t at_most) const {
  std::optional<FoundCheckpoint> found = find_checkpoint(folder_, nullptr, at_most);
  if (!found && !resumed_.path.empty() && resumed_.step <= at_most) found = resumed_;
  if (found) return "the last good checkpoint is " + found->path.string();
  found = find_checkpoint(folder_);
  if (!found) return "no checkpoint was written yet";
  return fmt::format("no checkpoint from before step {} is left, the newest is {}", at_most + 1, found->path.string());
}

void TrainingRun::raise_unhealthy(const std::string& what, int64_t since, const std::string& fix) {
  writer_.finish();  // the last good checkpoint may be under way
  raise<UnhealthyError>("{}: {}; {}; {}", options_.verb, what, last_good(since - 2), fix);
}

void TrainingRun::require_healthy(const std::optional<HealthFinding>& finding) {
  if (finding) [[unlikely]]
    raise_unhealthy(finding->message, finding->since, fix_for(*finding));
}

void TrainingRun::require_finite_weights(int64_t step) {
  for (const ParameterArena::Group& group : state().optimizer->arena().groups())
    if (!all(isfinite(group.weights()), {}, false).item<bool>())
      raise_unhealthy(fmt::format("nan: the weights are not finite (step {})", step), step,
                      "lower --learning_rate or set --max_grad_norm");
}

void TrainingRun::save(int64_t step, const Json& health, RunLog& log) {
  require_finite_weights(step);
  log.sync();  // the log may not fall behind a checkpoint that will be continued
  Json fields = Json::object();
  fields.set("verb", options_.verb).set("run", identity_).set("health", health);
  writer_.write(folder_, step, state(), fields, options_.checkpoints.checkpoints_total_limit);
}

int TrainingRun::run(const OutputDir& out) {
  const StopOnSignal stop;
  folder_ = out.path();
  if (first_ > 0) prune_checkpoints(folder_, first_, options_.checkpoints.checkpoints_total_limit);
  RunLog log(out / "log.jsonl", first_ == 0 ? 0 : first_ + 1);
  if (options_.checkpoints.report_to == "tensorboard") {
    std::error_code ignored;  // the writer says why it cannot write there
    fs::create_directories(out / "logs", ignored);
    log.add_tensorboard(out / "logs");
  }
  Progress progress({.total = options_.steps, .start = first_, .quiet = options_.quiet});
  const double begin = seconds_now();
  reset_peak_memory(options_.device);  // what is reported is the peak of the steps, which plumb plan predicts
  const int64_t every = options_.checkpoints.checkpointing_steps;
  for (int64_t step = first_; step < options_.steps; ++step) {
    const bool due = step > first_ && every > 0 && step % every == 0;
    const Json health = due ? monitor_.state() : Json();
    std::optional<Step> whole = due ? std::nullopt : whole_step(step);
    Step result = whole ? std::move(*whole) : compute(step);
    result.health.step = step + 1;
    const std::optional<HealthFinding> finding = monitor_.check(result.health);
    if (due && HealthMonitor::is_finite(result.health)) save(step, health, log);
    if (finding) log.write(step + 1, result.log);
    require_healthy(finding);
    if (!whole && HealthMonitor::is_finite(result.health)) apply(step, result);
    log.write(step + 1, result.log);
    progress.update(step + 1, postfix_of(result.log));
    writer_.check();
    if (stop.requested()) {
      save(step + 1, monitor_.state(), log);
      writer_.finish();
      return stop.exit_code();
    }
  }
  if (every > 0 && options_.steps % every == 0 && options_.steps > first_) save(options_.steps, monitor_.state(), log);
  writer_.finish();
  require_finite_weights(options_.steps);
  finish(out, seconds_now() - begin);
  return kExitDone;
}

}  // namespace plumb
