#include "apps/toy2d/experiment.h"

#include <cmath>
#include <limits>

#include "align/eval/score_error.h"
#include "apps/common/progress.h"
#include "apps/toy2d/guided_reference.h"
#include "apps/toy2d/pairs.h"
#include "apps/toy2d/reference_model.h"
#include "apps/toy2d/study/run.h"
#include "apps/toy2d/tasks.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::toy2d {
namespace {

constexpr int64_t kCurvePoints = 10;
constexpr int64_t kCurveSamples = 500;
constexpr int64_t kReferenceTick = 50;  // progress units: one a fine-tuning run, reference_steps / 50 a reference
constexpr double kControlGuidance = 2;

struct NamedSampler {
  std::string name;
  SamplerOptions options;
};

/// Everything one seed shares between its methods.
struct SeedState {
  int64_t seed = 0;
  RandomKey key;
  std::unique_ptr<PointDenoiser> reference;
  std::unique_ptr<ModeReference> clean;
  std::map<std::string, PreferencePairs> pairs;
  Tensor initial_noise;  // [K * S, 2]
  std::vector<RowResult> rows;
};

/// One fine-tuning run and what it produced.
struct Task {
  SeedState* seed = nullptr;
  const Method* method = nullptr;
  std::string pair_source;
  bool keep_student = false;
  std::vector<RowResult> rows;
  std::vector<CurvePoint> curve;
  std::vector<LogLine> log;
  std::unique_ptr<PointDenoiser> student;
};

class Experiment {
 public:
  Experiment(const Settings& settings, const std::vector<Method>& methods, const StopOnSignal& stop)
      : settings_(settings), methods_(methods), stop_(stop), world_(settings.world), schedule_(settings.schedule) {
    for (const std::string& name : settings.samplers)
      samplers_.push_back({name, parse_sampler(name, settings.schedule)});
    labels_ = labels_by_class(world_.classes(), settings.samples_per_class);
  }

  Results run() {
    make_seeds();
    make_tasks();
    progress_ = std::make_unique<Progress>(
        ProgressOptions{.description = "toy2d",
                        .total = int64_t(seeds_.size()) * reference_units() + int64_t(tasks_.size()),
                        .quiet = settings_.global.quiet});
    for_tasks(settings_.device, int64_t(seeds_.size()), [&](int64_t i) { prepare(seeds_[size_t(i)]); });
    for_tasks(settings_.device, int64_t(tasks_.size()), [&](int64_t i) {
      if (!stop_.requested()) run_task(tasks_[size_t(i)]);
    });
    progress_.reset();
    return collect();
  }

 private:
  int64_t reference_units() const { return (settings_.reference_steps + kReferenceTick - 1) / kReferenceTick; }

  void make_seeds() {
    for (int64_t i = 0; i < settings_.seeds; ++i) {
      SeedState state;
      state.seed = settings_.first_seed + i;
      state.key = seed_key(state.seed);
      seeds_.push_back(std::move(state));
    }
  }

  void make_tasks() {
    for (const Method& method : methods_)
      for (const std::string& source : settings_.pair_sources)
        for (SeedState& seed : seeds_) {
          Task task;
          task.seed = &seed;
          task.method = &method;
          task.pair_source = source;
          task.keep_student = &seed == &seeds_.front() && source == settings_.pair_sources.front();
          tasks_.push_back(std::move(task));
        }
  }

  void prepare(SeedState& seed) {
    const StepObserver observer{[](void* context, int64_t step, double) {
                                  Experiment& self = *static_cast<Experiment*>(context);
                                  if (step % kReferenceTick == 0) self.progress_->advance();
                                  return !self.stop_.requested();
                                },
                                this};
    seed.reference = train_reference(settings_, world_, schedule_, seed.key.fork("reference"), observer);
    if (stop_.requested()) return;
    if (settings_.reference_steps % kReferenceTick != 0) progress_->advance();
    seed.clean = std::make_unique<ModeReference>(world_, settings_.samples_per_class, seed.key.fork("clean samples"));
    seed.initial_noise = randn(seed.key.fork("sampling"), {labels_.numel(), 2});
    for (const std::string& source : settings_.pair_sources)
      seed.pairs.emplace(source, source == "clean"
                                     ? clean_pairs(world_, settings_.pairs_per_class, seed.key.fork("clean pairs"))
                                     : reference_pairs(world_, settings_.pairs_per_class, *seed.reference, schedule_,
                                                       seed.key.fork("reference pairs")));
    add_data_rows(seed);
    evaluate(seed, {"reference", "none", ""}, *seed.reference, seed.rows);
    if (!settings_.quick) add_guided_rows(seed);
  }

  void add_data_rows(SeedState& seed) {
    auto add = [&](const char* name, const Tensor& samples) {
      RowResult row{{name, "none", "none"}, seed.seed, by_class(samples), {}, std::numeric_limits<double>::quiet_NaN()};
      row.metrics = seed.clean->evaluate(row.samples);
      seed.rows.push_back(std::move(row));
    };
    add("truth", world_.sample_clean(labels_, seed.key.fork("truth")));
    add("noisy", world_.sample_noisy(labels_, seed.key.fork("noisy")));
  }

  /// The control: the reference itself, guided away from c-. TF-CPP comes close to distilling it.
  void add_guided_rows(SeedState& seed) {
    GuidedReference guided(*seed.reference, world_, kControlGuidance);
    evaluate(seed, {"reference_guided", "none", ""}, guided, seed.rows);
  }

  Tensor by_class(const Tensor& points) const {
    return reshape(points, {world_.classes(), settings_.samples_per_class, 2});
  }

  /// One row a sampler; the score error is the model's own and is measured once.
  void evaluate(const SeedState& seed, const RowName& name, Denoiser& model, std::vector<RowResult>& rows) {
    const double error = score_error(model, world_, schedule_, seed.key.fork("score error"));
    for (const NamedSampler& sampler : samplers_) {
      const Tensor samples =
          sample(model, schedule_,
                 {.noise = seed.initial_noise, .condition = {.labels = labels_}, .key = seed.key.fork("sampler noise")},
                 sampler.options);
      RowResult row{{name.method, name.pairs, sampler.name}, seed.seed, by_class(samples), {}, error};
      row.metrics = seed.clean->evaluate(row.samples);
      rows.push_back(std::move(row));
    }
  }

  void run_task(Task& task) {
    const SeedState& seed = *task.seed;
    CurveRecorder recorder{this, &task, nullptr, {}};
    if (task.keep_student) recorder.prepare();
    const FinetuneObserver observer{
        [](void* context, int64_t step, double norm, const StepStatistics& statistics, PointDenoiser& student) {
          static_cast<CurveRecorder*>(context)->record(step, norm, statistics, student);
        },
        &recorder};
    task.student = finetune(
        *task.method, {world_, schedule_, *seed.reference, seed.pairs.at(task.pair_source), seed.key.fork("finetune")},
        observer);
    evaluate(seed, {task.method->name, task.pair_source, ""}, *task.student, task.rows);
    if (!task.keep_student) task.student.reset();
    progress_->advance();
  }

  /// Logs every step; on the first seed also samples a few points along the way.
  struct CurveRecorder {
    Experiment* self;
    Task* task;
    std::unique_ptr<ModeReference> clean;
    Tensor noise;

    void prepare() {
      const int64_t count = std::min(kCurveSamples, self->settings_.samples_per_class);
      const RandomKey key = task->seed->key.fork("curve");
      clean = std::make_unique<ModeReference>(self->world_, count, key.fork("clean"));
      noise = randn(key.fork("noise"), {self->world_.classes() * count, 2});
      add_point(0, *task->seed->reference);
    }

    void record(int64_t step, double norm, const StepStatistics& statistics, PointDenoiser& student) {
      const RowName row{task->method->name, task->pair_source, "none"};
      task->log.push_back({row, task->seed->seed, step, task->method->learning_rate, norm, statistics});
      const int64_t stride = std::max<int64_t>(task->method->steps / kCurvePoints, 1);
      if (clean && step % stride == 0) add_point(step, student);
    }

    void add_point(int64_t step, PointDenoiser& model) {
      const int64_t classes = self->world_.classes(), count = noise.size(0) / classes;
      const SamplerOptions ddim25{.steps = std::min<int64_t>(25, self->schedule_.num_train_timesteps())};
      const Tensor samples = sample(model, self->schedule_,
                                    {.noise = noise, .condition = {.labels = labels_by_class(classes, count)}}, ddim25);
      task->curve.push_back({{task->method->name, task->pair_source, "ddim25"},
                             task->seed->seed,
                             step,
                             clean->evaluate(reshape(samples, {classes, count, 2}))});
    }
  };

  Results collect() {
    Results results;
    results.centers = world_.centers();
    results.interrupted = stop_.requested();
    // Table order: truth, noisy, reference, then methods; within a row by seed.
    const size_t shared = seeds_.front().rows.size();
    for (size_t i = 0; i < shared && !results.interrupted; ++i)
      for (SeedState& seed : seeds_) results.rows.push_back(std::move(seed.rows[i]));
    for (size_t first = 0; first < tasks_.size() && !results.interrupted; first += seeds_.size())
      for (size_t sampler = 0; sampler < samplers_.size(); ++sampler)
        for (size_t s = 0; s < seeds_.size(); ++s) results.rows.push_back(std::move(tasks_[first + s].rows[sampler]));
    for (Task& task : tasks_) {
      std::move(task.curve.begin(), task.curve.end(), std::back_inserter(results.curves));
      std::move(task.log.begin(), task.log.end(), std::back_inserter(results.log));
      if (task.student) results.students.emplace(task.method->name, std::move(task.student));
    }
    for (SeedState& seed : seeds_) results.references.push_back(std::move(seed.reference));
    return results;
  }

  const Settings& settings_;
  const std::vector<Method>& methods_;
  const StopOnSignal& stop_;
  std::unique_ptr<Progress> progress_;
  Gaussians2d world_;
  NoiseSchedule schedule_;
  std::vector<NamedSampler> samplers_;
  Tensor labels_;
  std::vector<SeedState> seeds_;
  std::vector<Task> tasks_;
};

}  // namespace

Results run_experiment(const Settings& settings, const std::vector<Method>& methods, const StopOnSignal& stop) {
  return Experiment(settings, methods, stop).run();
}

}  // namespace plumb::toy2d
