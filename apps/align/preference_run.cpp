#include "apps/align/preference_run.h"

#include "apps/common/seconds_now.h"
#include "engine/format.h"
#include "engine/ops.h"

namespace plumb {
namespace {

TrainingRunOptions run_options(const PreferenceSettings& settings) {
  return {.verb = "align",
          .steps = settings.steps(),
          .checkpoints = settings.checkpoints,
          .health = settings.health,
          .quiet = settings.global.quiet,
          .device = settings.models.device};
}

void add(NamedValues& values, const std::string& name, const std::optional<double>& value) {
  if (value) values.emplace_back(name, *value);
}

NamedValues log_of(const StepStatistics& s, double rate) {
  NamedValues log{{"loss", s.loss}, {"lr", rate}};
  add(log, "grad_norm", s.grad_norm);
  log.emplace_back("error_w", s.error_w);
  add(log, "error_l", s.error_l);
  add(log, "ref_error_w", s.ref_error_w);
  add(log, "ref_error_l", s.ref_error_l);
  add(log, "margin", s.margin);
  add(log, "implicit_accuracy", s.implicit_accuracy);
  add(log, "logit_abs_median", s.logit_abs_median);
  add(log, "saturated", s.saturated);
  add(log, "offset", s.offset);
  add(log, "mean_weight", s.mean_weight);
  return log;
}

}  // namespace

PreferenceRun::PreferenceRun(const PreferenceSettings& settings, Json identity, const RandomKey& key)
    : TrainingRun(run_options(settings), std::move(identity)),
      settings_(settings),
      key_(key),
      graph_(settings.models.device, settings.cuda_graph) {
  settings.optimizer.rate_at(0);  // refuses a schedule that does not fit its steps
}

TrainingState PreferenceRun::state() {
  return {.model = work_.kept, .optimizer = work_.optimizer, .ema = work_.ema, .more = work_.trainer->state_dict()};
}

void PreferenceRun::begin(int64_t step) {
  began_ = seconds_now();
  go_to(step);
  data_seconds_ = seconds_now() - began_;
}

PreferenceStepResult PreferenceRun::gradients(int64_t drawn) {
  return work_.trainer->gradients(pairs(), key_.at_step(uint64_t(drawn)), frozen());
}

TrainingRun::Step PreferenceRun::report(int64_t step) {
  last_ = step_statistics(result_);
  Step done{.health = {.loss = last_.loss,
                       .grad_norm = *last_.grad_norm,
                       .error = last_.error_w,
                       .reference_error = reference_error_},
            .log = log_of(last_, settings_.optimizer.rate_at(step))};
  // MaPO's log-odds times T is no logit against a reference: it is large from the start.
  if (work_.objective->uses_reference()) done.health.saturated = last_.saturated;
  return done;
}

TrainingRun::Step PreferenceRun::compute(int64_t step) {
  begin(step);
  result_ = gradients(draws_of(step));
  Step done = report(step);
  if (looks_at(step)) look_at(step, done);
  return done;
}

void PreferenceRun::apply(int64_t step, Step& done) {
  work_.optimizer->set_learning_rate(settings_.optimizer.rate_at(step));
  work_.trainer->apply(result_);
  if (work_.ema) work_.ema->update();
  add_to(done.log, step);
}

std::optional<TrainingRun::Step> PreferenceRun::whole_step(int64_t step) {
  // The model is looked at between the halves of a step.
  if (!graph_.is_enabled() || looks_at(step)) return std::nullopt;
  begin(step);
  work_.optimizer->set_learning_rate(settings_.optimizer.rate_at(step));
  result_ = graph_.run(draws_of(step), &work_.trainer->reference(), [this](int64_t drawn) {
    PreferenceStepResult now = gradients(drawn);
    work_.trainer->update(now);
    if (work_.ema) work_.ema->update(PreferenceTrainer::is_dropped(now));
    return now;
  });
  result_.key = key_.at_step(uint64_t(draws_of(step)));
  Step done = report(step);
  if (!HealthMonitor::is_finite(done.health)) return done;
  work_.trainer->finish(result_);
  add_to(done.log, step);
  return done;
}

void PreferenceRun::add_to(NamedValues& log, int64_t step) {
  last_.divergence = result_.divergence;
  last_.reference_divergence = result_.reference_divergence;
  add(log, "divergence", result_.divergence);
  add(log, "reference_divergence", result_.reference_divergence);
  if (settings_.log_bins_steps > 0 && (step + 1) % settings_.log_bins_steps == 0) add_bins(log);
  const double seconds = seconds_now() - began_;
  log.emplace_back("samples_per_s", double(settings_.effective_batch()) / seconds);
  log.emplace_back("step_s", seconds);
  log.emplace_back("data_s", data_seconds_);
}

void PreferenceRun::add_bins(NamedValues& log) const {
  constexpr int64_t kBins = 10;
  TimestepBins bins(work_.num_train_timesteps, std::min(kBins, work_.num_train_timesteps));
  bins.add(result_);
  int64_t number = 0;
  for (const TimestepBin& bin : bins.bins()) {
    add(log, fmt::format("reward_scale_bin{}", number), bin.reward_scale);
    add(log, fmt::format("accuracy_bin{}", number++), bin.accuracy);
  }
}

Json PreferenceRun::metrics(int64_t pairs, int64_t trained, double seconds) const {
  const int64_t done = settings_.steps() - first_step();
  Json metrics = Json::object(), options = Json::object(), last = Json::object();
  for (const auto& [key, value] : *work_.objective_settings) options.set(key, value);
  for (const auto& [name, value] : log_of(last_, work_.optimizer->learning_rate())) last.set(name, value);
  metrics.set("step", settings_.steps()).set("seed", settings_.global.seed).set("objective", work_.objective->name());
  metrics.set("objective_settings", options).set("last_step", last).set("reference_error", reference_error_);
  metrics.set("effective_batch", settings_.effective_batch()).set("pairs", pairs);
  metrics.set("trained_parameters", trained).set("not_finite", not_finite());
  if (work_.trainer->reference_update()) metrics.set("reference_moved", work_.trainer->reference_update()->moved());
  metrics.set("first_step", first_step()).set("seconds", seconds);
  return metrics.set("samples_per_s", seconds > 0 ? double(done * settings_.effective_batch()) / seconds : 0.0);
}

}  // namespace plumb
