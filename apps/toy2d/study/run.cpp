#include "apps/toy2d/study/run.h"

#include <algorithm>
#include <limits>

#include "apps/common/progress.h"
#include "apps/toy2d/finetune.h"
#include "apps/toy2d/pairs.h"
#include "apps/toy2d/tasks.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::toy2d {
namespace {

constexpr int64_t kStudySamples = 1000;

/// What the samples of one seed start from and are compared with.
struct Yardstick {
  std::unique_ptr<ModeReference> clean;
  Tensor noise;  // [K * S, 2]
};

class Study {
 public:
  Study(const Settings& settings, const std::vector<StudySeed>& seeds, const StopOnSignal& stop)
      : settings_(settings), seeds_(seeds), stop_(stop), world_(settings.world), schedule_(settings.schedule) {
    samples_ = study_samples_per_class(settings);
    labels_ = labels_by_class(world_.classes(), samples_);
    for (const StudySeed& seed : seeds_) {
      const RandomKey key = seed.key.fork("study");
      yardsticks_.push_back({std::make_unique<ModeReference>(world_, samples_, key.fork("clean samples")),
                             randn(key.fork("sampling"), {labels_.numel(), 2})});
    }
  }

  StudyOutcome run(const StudyRun& run, size_t seed) const {
    StudyOutcome outcome;
    Recorder recorder{this, &run, seed, &outcome};
    if (!run.checkpoints.empty() && run.checkpoints.front() == 0) recorder.measure(0, *seeds_[seed].reference);
    Method method = run.method;
    if (!run.checkpoints.empty()) method.steps = run.checkpoints.back();
    const PreferencePairs pairs = study_pairs(settings_, seeds_[seed], run.pairs, run.pairs_per_class);
    const FinetuneObserver observer{
        [](void* context, int64_t step, double, const StepStatistics& statistics, PointDenoiser& student) {
          static_cast<Recorder*>(context)->record(step, statistics, student);
        },
        &recorder};
    try {
      const std::unique_ptr<PointDenoiser> student = finetune(
          method, {world_, schedule_, *seeds_[seed].reference, pairs, seeds_[seed].key.fork("finetune")}, observer);
      if (run.by_timestep)
        outcome.by_timestep = timestep_profile(*student, *seeds_[seed].reference, world_, schedule_,
                                               seeds_[seed].key.fork("timestep profile"));
    } catch (const NumericError&) {
      outcome.diverged_at = int64_t(outcome.margin.size()) + 1;
    }
    return outcome;
  }

 private:
  struct Recorder {
    const Study* study;
    const StudyRun* run;
    size_t seed;
    StudyOutcome* outcome;

    void record(int64_t step, const StepStatistics& statistics, PointDenoiser& student) {
      constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
      outcome->implicit_accuracy.push_back(statistics.implicit_accuracy.value_or(kNone));
      outcome->margin.push_back(statistics.margin.value_or(kNone));
      const std::vector<int64_t>& at = run->checkpoints;
      const bool due = at.empty() ? step == run->method.steps : std::binary_search(at.begin(), at.end(), step);
      if (due) measure(step, student);
    }

    void measure(int64_t step, PointDenoiser& model) { outcome->points.push_back({step, study->measure(model, seed)}); }
  };

  ModeMetrics measure(PointDenoiser& model, size_t seed) const {
    const SamplerOptions ddim25{.steps = std::min<int64_t>(25, schedule_.num_train_timesteps()), .rows_per_pass = 1000};
    const Tensor points =
        sample(model, schedule_, {.noise = yardsticks_[seed].noise, .condition = {.labels = labels_}}, ddim25);
    return yardsticks_[seed].clean->evaluate(reshape(points, {world_.classes(), samples_, 2}));
  }

  const Settings& settings_;
  const std::vector<StudySeed>& seeds_;
  const StopOnSignal& stop_;
  Gaussians2d world_;
  NoiseSchedule schedule_;
  int64_t samples_ = 0;
  Tensor labels_;
  std::vector<Yardstick> yardsticks_;
};

struct Task {
  StudyResult* result;
  size_t seed;
};

}  // namespace

RandomKey seed_key(int64_t seed) { return RandomKey{.seed = uint64_t(seed)}.fork("toy2d"); }

int64_t study_samples_per_class(const Settings& settings) {
  return std::min(kStudySamples, settings.samples_per_class);
}

PreferencePairs study_pairs(const Settings& settings, const StudySeed& seed, const std::string& source,
                            int64_t pairs_per_class) {
  const Gaussians2d world(settings.world);
  if (source == "clean") return clean_pairs(world, pairs_per_class, seed.key.fork("clean pairs"));
  return reference_pairs(world, pairs_per_class, *seed.reference, NoiseSchedule(settings.schedule),
                         seed.key.fork("reference pairs"));
}

std::vector<StudyResult> run_study(const Settings& settings, const std::vector<StudyRun>& runs,
                                   const std::vector<StudySeed>& seeds, const StopOnSignal& stop,
                                   const StudyObserver& observer) {
  std::vector<StudyResult> results;
  for (const StudyRun& run : runs) {
    StudyResult result{run, {}, {}};
    for (size_t s = 0; s < std::min(seeds.size(), size_t(run.seeds)); ++s) result.seeds.push_back(seeds[s].seed);
    result.outcomes.resize(result.seeds.size());
    results.push_back(std::move(result));
  }
  std::vector<Task> tasks;
  for (StudyResult& result : results)
    for (size_t s = 0; s < result.seeds.size(); ++s) tasks.push_back({&result, s});
  const Study study(settings, seeds, stop);
  Progress progress({.description = "study", .total = int64_t(tasks.size()), .quiet = settings.global.quiet});
  for_tasks(settings.device, int64_t(tasks.size()), [&](int64_t i) {
    if (stop.requested()) return;
    const Task& task = tasks[size_t(i)];
    const StudyRun& run = task.result->run;
    const int64_t seed = task.result->seeds[task.seed];
    StudyOutcome& outcome = task.result->outcomes[task.seed];
    if (!observer.skip || !observer.skip(observer.context, run, seed)) {
      outcome = study.run(run, task.seed);
      if (observer.done) observer.done(observer.context, run, seed, outcome);
    }
    progress.advance();
  });
  return results;
}

}  // namespace plumb::toy2d
