#include "apps/align/aligner.h"

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
    : PreferenceRun(settings, std::move(identity), RandomKey{.seed = uint64_t(settings.global.seed)}.fork("align")),
      settings_(settings),
      setup_(settings, std::move(model), std::move(pairs), key()),
      order_(setup_.pairs.size(), settings.effective_batch(), key()),
      index_(zeros({settings.effective_batch()}, DType::i64, settings.models.device)) {
  work_on({.trainer = &setup_.trainer,
           .optimizer = setup_.optimizer.get(),
           .objective = setup_.objective.get(),
           .objective_settings = &setup_.objective_settings,
           .kept = &setup_.models.kept(),
           .num_train_timesteps = setup_.models.schedule().num_train_timesteps()});
  set_reference_error(measure_reference_error());
  if (settings.validation_steps > 0) reference_spread_ = measure_spread(setup_.models.initial());
}

double Aligner::measure_reference_error() {
  constexpr int64_t kSamples = 1024;
  const NoGrad no_grad;
  const RandomKey drawn_from = key().fork("reference error");
  const Device device = setup_.pairs.winners.device();
  const PreferencePairs drawn = setup_.pairs.take(in_turn(kSamples, setup_.pairs.size()));
  const Variable error =
      denoising_loss(setup_.models.initial(), setup_.models.schedule(), setup_.models.prediction(),
                     {.x0 = drawn.winners,
                      .noise = randn(drawn_from.fork("noise"), drawn.winners.shape(), DType::f32, device),
                      .t = setup_.trainer.timesteps().draw(drawn_from, kSamples, device),
                      .condition = drawn.condition});
  return error.value().item() *
         (sums_elements(setup_.objective_settings) ? double(setup_.models.network().dimensions) : 1.0);
}

double Aligner::measure_spread(Denoiser& model) {
  const RandomKey drawn_from = key().fork("validation");
  const PointDenoiserOptions& network = setup_.models.network();
  SamplerStart start{.noise = randn(drawn_from.fork("noise"), {settings_.num_validation_samples, network.dimensions})};
  if (network.classes > 0) start.condition.labels = in_turn(settings_.num_validation_samples, network.classes);
  const int64_t steps = std::min<int64_t>(25, setup_.models.schedule().num_train_timesteps());
  const Tensor samples =
      sample(model, setup_.models.schedule(), start, {.steps = steps, .prediction = setup_.models.prediction()});
  return class_spread(samples, start.condition.labels);
}

bool Aligner::looks_at(int64_t step) const {
  return settings_.validation_steps > 0 && step > 0 && step % settings_.validation_steps == 0;
}

void Aligner::look_at(int64_t, Step& done) {
  done.health.spread = measure_spread(setup_.models.student());
  done.health.reference_spread = reference_spread_;
  done.log.emplace_back("spread", *done.health.spread);
}

void Aligner::finish(const OutputDir& out, double seconds) {
  Json found = metrics(setup_.pairs.size(), count(setup_.models.trained()), seconds);
  if (setup_.models.use_lora()) save_adapter(out / "adapter", setup_.models.kept(), kStudentAdapter);
  save_point_model(out / "model", setup_.models.take_model(settings_.merge_lora));
  write_metrics(out / "metrics.json",
                found.set("memory", memory_report(settings_.models.device)).set("settings", identity()));
}

}  // namespace plumb
