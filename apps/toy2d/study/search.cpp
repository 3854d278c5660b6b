#include "apps/toy2d/study/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/toy2d/reference_model.h"
#include "apps/toy2d/tasks.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kPart = "search";

int64_t seed_of(const Settings& settings, int64_t index) { return settings.first_seed + kSearchOffset + index; }

Settings search_settings(Settings settings) {
  settings.samples_per_class = kSearchSamples;
  return settings;
}

/// Writes every finished run to the log, and skips those it holds.
struct Recorder {
  const Settings& settings;
  SearchLog& log;

  static bool skip(void* context, const StudyRun& run, int64_t seed) {
    const Recorder& self = *static_cast<Recorder*>(context);
    return self.log.contains(search_key(self.settings, run, seed));
  }

  static void done(void* context, const StudyRun& run, int64_t seed, const StudyOutcome& outcome) {
    const Recorder& self = *static_cast<Recorder*>(context);
    SearchRecord record{.key = search_key(self.settings, run, seed)};
    for (const StudyPoint& point : outcome.points) {
      record.steps.push_back(point.step);
      record.sw2.push_back(point.metrics.sw2);
    }
    self.log.append(std::move(record));
  }
};

std::vector<std::unique_ptr<PointDenoiser>> train_references(const Settings& settings, const StopOnSignal& stop) {
  std::vector<std::unique_ptr<PointDenoiser>> references(kSearchSeeds);
  const Gaussians2d world(settings.world);
  const NoiseSchedule schedule(settings.schedule);
  const StepObserver observer{
      [](void* context, int64_t, double) { return !static_cast<const StopOnSignal*>(context)->requested(); },
      const_cast<StopOnSignal*>(&stop)};
  for_tasks(settings.device, kSearchSeeds, [&](int64_t i) {
    references[size_t(i)] =
        train_reference(settings, world, schedule, seed_key(seed_of(settings, i)).fork("reference"), observer);
  });
  return references;
}

/// sw2 at one checkpoint, mean over the seeds; infinite where a seed did not get there.
double score(const Settings& settings, const StudyRun& run, int64_t steps, const SearchLog& log) {
  double total = 0;
  for (int64_t i = 0; i < kSearchSeeds; ++i) {
    const SearchRecord& record = log.at(search_key(settings, run, seed_of(settings, i)));
    const auto found = std::find(record.steps.begin(), record.steps.end(), steps);
    if (found == record.steps.end()) return std::numeric_limits<double>::infinity();
    const double value = record.sw2[size_t(found - record.steps.begin())];
    total += std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
  }
  return total / double(kSearchSeeds);
}

template <class Values, class T>
bool at_end(const Values& values, T value) {
  return value == values.front() || value == values.back();
}

}  // namespace

std::vector<StudyRun> search_runs(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  for (const Method& method : methods) {
    if (method.degenerate) continue;
    for (const std::string& source : settings.pair_sources)
      for (double learning_rate : kSearchRates)
        for (double factor : kSearchFactors) {
          if (method.objective == "sft" && factor != 1) continue;
          Method cell = method;
          cell.learning_rate = learning_rate;
          cell.beta = method.beta * factor;
          runs.push_back({.part = kPart,
                          .variant = method.name,
                          .method = cell,
                          .pairs = source,
                          .pairs_per_class = settings.pairs_per_class,
                          .checkpoints = {kSearchSteps.begin(), kSearchSteps.end()},
                          .seeds = kSearchSeeds});
        }
  }
  return runs;
}

std::string search_key(const Settings& s, const StudyRun& run, int64_t seed) {
  return fmt::format("{}; {} pairs, N {}; seed {}; steps {}; world {} {:g} {:g} {:g} {:g}; reference {} x {}, lr {:g}",
                     describe(run.method), run.pairs, run.pairs_per_class, seed, fmt::join(run.checkpoints, " "),
                     s.world.classes, s.world.radius, s.world.sigma, s.world.noise_fraction, s.world.inflation,
                     s.reference_steps, s.reference_batch, s.reference_learning_rate);
}

std::vector<Selected> select_best(const Settings& settings, const std::vector<StudyRun>& runs, const SearchLog& log) {
  std::vector<Selected> best;
  for (const StudyRun& run : runs) {
    const bool fresh = best.empty() || best.back().method != run.variant || best.back().pairs != run.pairs;
    if (fresh) best.push_back({run.variant, run.pairs, 0, 0, 0, std::numeric_limits<double>::infinity(), false});
    for (int64_t steps : run.checkpoints) {
      const double sw2 = score(settings, run, steps, log);
      if (!(sw2 < best.back().sw2)) continue;
      const double rate = run.method.learning_rate;
      const bool edge = at_end(kSearchRates, rate) || at_end(kSearchSteps, steps);
      best.back() = {run.variant, run.pairs, rate, run.method.beta, steps, sw2, edge};
    }
  }
  return best;
}

bool search(const Settings& settings, const std::vector<StudyRun>& runs, SearchLog& log, const StopOnSignal& stop) {
  Recorder recorder{settings, log};
  bool finished = true;
  for (const StudyRun& run : runs)
    for (int64_t i = 0; i < kSearchSeeds; ++i)
      finished = finished && Recorder::skip(&recorder, run, seed_of(settings, i));
  if (finished) return true;
  const std::vector<std::unique_ptr<PointDenoiser>> references = train_references(settings, stop);
  if (stop.requested()) return false;
  std::vector<StudySeed> seeds;
  for (int64_t i = 0; i < kSearchSeeds; ++i)
    seeds.push_back({seed_of(settings, i), seed_key(seed_of(settings, i)), references[size_t(i)].get()});
  run_study(search_settings(settings), runs, seeds, stop, {Recorder::done, Recorder::skip, &recorder});
  return !stop.requested();
}

std::string format_selected(const std::vector<Selected>& selected) {
  std::string text;
  for (const Selected& s : selected)
    text += fmt::format("    {{\"{}\", \"{}\", {:g}, {:g}, {}}},  // sw2 {:.3f}{}\n", s.method, s.pairs,
                        s.learning_rate, s.beta, s.steps, s.sw2, s.edge ? ", at an edge of the grid" : "");
  return text;
}

}  // namespace plumb::toy2d
