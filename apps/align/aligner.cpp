#include "apps/align/aligner.h"

#include <chrono>
#include <cmath>
#include <map>

#include "apps/common/memory_report.h"
#include "autograd/grad_mode.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/sampler/sampler.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/lora/adapter_file.h"

namespace plumb {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TrainingRunOptions run_options(const AlignSettings& settings) {
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

/// i64 [count]: 0, 1, …, below, 0, 1, …
Tensor in_turn(int64_t count, int64_t below) {
  Tensor index = empty({count}, DType::i64);
  for (int64_t i = 0; i < count; ++i) index.mutable_data<int64_t>()[i] = i % below;
  return index;
}

}  // namespace

double class_spread(const Tensor& samples, const Tensor& labels) {
  const std::vector<double> x = samples.to(DType::f64).to_vector<double>();
  const int64_t count = samples.size(0), dimensions = samples.size(1);
  std::map<int64_t, std::vector<int64_t>> rows;
  for (int64_t i = 0; i < count; ++i) rows[labels.defined() ? labels.data<int64_t>()[i] : 0].push_back(i);
  double sum = 0;
  int64_t classes = 0;
  for (const auto& [label, members] : rows) {
    if (members.size() < 2) continue;
    double variance = 0;
    for (int64_t axis = 0; axis < dimensions; ++axis) {
      double mean = 0, square = 0;
      for (const int64_t i : members) mean += x[size_t(i * dimensions + axis)] / double(members.size());
      for (const int64_t i : members) square += std::pow(x[size_t(i * dimensions + axis)] - mean, 2);
      variance += square / double(members.size() - 1);
    }
    sum += std::sqrt(variance / double(dimensions));
    ++classes;
  }
  return classes > 0 ? sum / double(classes) : 0;
}

Aligner::Aligner(const AlignSettings& settings, Json identity, PointModel model, PreferencePairs pairs)
    : TrainingRun(run_options(settings), std::move(identity)),
      settings_(settings),
      key_(RandomKey{.seed = uint64_t(settings.global.seed)}.fork("align")),
      setup_(settings, std::move(model), std::move(pairs), key_),
      order_(setup_.pairs.size(), settings.effective_batch(), key_),
      index_(zeros({settings.effective_batch()}, DType::i64, settings.models.device)),
      graph_(settings.models.device, settings.cuda_graph) {
  settings.optimizer.rate_at(0);  // refuses a schedule that does not fit its steps
  reference_error_ = measure_reference_error();
  if (settings.validation_steps > 0) reference_spread_ = measure_spread(setup_.models.initial());
}

double Aligner::measure_reference_error() {
  constexpr int64_t kSamples = 1024;
  const NoGrad no_grad;
  const RandomKey key = key_.fork("reference error");
  const Device device = setup_.pairs.winners.device();
  const PreferencePairs drawn = setup_.pairs.take(in_turn(kSamples, setup_.pairs.size()));
  const Variable error = denoising_loss(setup_.models.initial(), setup_.models.schedule(), setup_.models.prediction(),
                                        {.x0 = drawn.winners,
                                         .noise = randn(key.fork("noise"), drawn.winners.shape(), DType::f32, device),
                                         .t = setup_.trainer.timesteps().draw(key, kSamples, device),
                                         .condition = drawn.condition});
  return error.value().item() *
         (sums_elements(setup_.objective_settings) ? double(setup_.models.network().dimensions) : 1.0);
}

double Aligner::measure_spread(Denoiser& model) {
  const RandomKey key = key_.fork("validation");
  const PointDenoiserOptions& network = setup_.models.network();
  SamplerStart start{.noise = randn(key.fork("noise"), {settings_.num_validation_samples, network.dimensions})};
  if (network.classes > 0) start.condition.labels = in_turn(settings_.num_validation_samples, network.classes);
  const int64_t steps = std::min<int64_t>(25, setup_.models.schedule().num_train_timesteps());
  const Tensor samples =
      sample(model, setup_.models.schedule(), start, {.steps = steps, .prediction = setup_.models.prediction()});
  return class_spread(samples, start.condition.labels);
}

TrainingState Aligner::state() {
  return {.model = &setup_.models.kept(), .optimizer = &setup_.optimizer, .more = setup_.trainer.state_dict()};
}

bool Aligner::draws_samples(int64_t step) const {
  return settings_.validation_steps > 0 && step > 0 && step % settings_.validation_steps == 0;
}

void Aligner::go_to(int64_t step) {
  began_ = seconds_now();
  index_.copy_(order_.at(step));
}

PreferenceStepResult Aligner::gradients(int64_t step) {
  return setup_.trainer.gradients(setup_.pairs.take(index_), key_.at_step(uint64_t(step)));
}

TrainingRun::Step Aligner::report(int64_t step) {
  last_ = step_statistics(result_);
  Step done{.health = {.loss = last_.loss,
                       .grad_norm = *last_.grad_norm,
                       .error = last_.error_w,
                       .reference_error = reference_error_},
            .log = log_of(last_, settings_.optimizer.rate_at(step))};
  // MaPO's log-odds times T is no logit against a reference: it is large from the start.
  if (setup_.objective->uses_reference()) done.health.saturated = last_.saturated;
  return done;
}

TrainingRun::Step Aligner::compute(int64_t step) {
  go_to(step);
  result_ = gradients(step);
  Step done = report(step);
  if (draws_samples(step)) {
    done.health.spread = measure_spread(setup_.models.student());
    done.health.reference_spread = reference_spread_;
    done.log.emplace_back("spread", *done.health.spread);
  }
  return done;
}

void Aligner::apply(int64_t step, Step& done) {
  setup_.optimizer.set_learning_rate(settings_.optimizer.rate_at(step));
  setup_.trainer.apply(result_);
  add_to(done.log, step);
}

std::optional<TrainingRun::Step> Aligner::whole_step(int64_t step) {
  // Samples are drawn between the halves of a step.
  if (!graph_.is_enabled() || draws_samples(step)) return std::nullopt;
  go_to(step);
  setup_.optimizer.set_learning_rate(settings_.optimizer.rate_at(step));
  result_ = graph_.run(step, &setup_.trainer.reference(), [this](int64_t drawn) {
    PreferenceStepResult now = gradients(drawn);
    setup_.trainer.update(now);
    return now;
  });
  result_.key = key_.at_step(uint64_t(step));
  Step done = report(step);
  if (!HealthMonitor::is_finite(done.health)) return done;
  setup_.trainer.finish(result_);
  add_to(done.log, step);
  return done;
}

void Aligner::add_to(NamedValues& log, int64_t step) {
  last_.divergence = result_.divergence;
  last_.reference_divergence = result_.reference_divergence;
  add(log, "divergence", result_.divergence);
  add(log, "reference_divergence", result_.reference_divergence);
  if (settings_.log_bins_steps > 0 && (step + 1) % settings_.log_bins_steps == 0) add_bins(log);
  const double seconds = seconds_now() - began_;
  log.emplace_back("samples_per_s", double(settings_.effective_batch()) / seconds);
  log.emplace_back("step_s", seconds);
}

void Aligner::add_bins(NamedValues& log) const {
  constexpr int64_t kBins = 10;
  const int64_t timesteps = setup_.models.schedule().num_train_timesteps();
  TimestepBins bins(timesteps, std::min(kBins, timesteps));
  bins.add(result_);
  int64_t number = 0;
  for (const TimestepBin& bin : bins.bins()) {
    add(log, fmt::format("reward_scale_bin{}", number), bin.reward_scale);
    add(log, fmt::format("accuracy_bin{}", number++), bin.accuracy);
  }
}

void Aligner::finish(const OutputDir& out, double seconds) {
  const int64_t done = settings_.steps() - first_step();
  Json metrics = Json::object(), options = Json::object(), last = Json::object();
  for (const auto& [key, value] : setup_.objective_settings) options.set(key, value);
  for (const auto& [name, value] : log_of(last_, setup_.optimizer.learning_rate())) last.set(name, value);
  metrics.set("step", settings_.steps()).set("seed", settings_.global.seed).set("objective", setup_.objective->name());
  metrics.set("objective_settings", options).set("last_step", last).set("reference_error", reference_error_);
  metrics.set("effective_batch", settings_.effective_batch()).set("pairs", setup_.pairs.size());
  metrics.set("trained_parameters", count(setup_.models.trained())).set("not_finite", not_finite());
  if (setup_.trainer.reference_update()) metrics.set("reference_moved", setup_.trainer.reference_update()->moved());
  metrics.set("first_step", first_step()).set("seconds", seconds);
  metrics.set("samples_per_s", seconds > 0 ? double(done * settings_.effective_batch()) / seconds : 0.0);
  if (setup_.models.use_lora()) save_adapter(out / "adapter", setup_.models.kept(), kStudentAdapter);
  save_point_model(out / "model", setup_.models.take_model(settings_.merge_lora));
  write_metrics(out / "metrics.json",
                metrics.set("memory", memory_report(settings_.models.device)).set("settings", identity()));
}

}  // namespace plumb
