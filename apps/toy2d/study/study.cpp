#include "apps/toy2d/study/study.h"

#include <algorithm>

#include "apps/toy2d/report.h"
#include "apps/toy2d/study/parts.h"

namespace plumb::toy2d {
namespace {

void append(std::vector<StudyRun>& runs, std::vector<StudyRun> part) {
  std::move(part.begin(), part.end(), std::back_inserter(runs));
}

/// Learning curves of the runs that are measured along the way.
Json curves_json(const std::vector<StudyResult>& results) {
  Json list = Json::array();
  for (const StudyResult& result : results) {
    if (result.run.part != kTrajectoryPart) continue;
    for (size_t s = 0; s < result.seeds.size(); ++s) {
      Json json = Json::object();
      json.set("variant", result.run.variant).set("pairs", result.run.pairs).set("seed", result.seeds[s]);
      json.set("implicit_accuracy", list_of(result.outcomes[s].implicit_accuracy));
      list.push_back(json.set("margin", list_of(result.outcomes[s].margin)));
    }
  }
  return list;
}

}  // namespace

bool wants_study(const Settings& settings) {
  return std::find(settings.methods.begin(), settings.methods.end(), "all") != settings.methods.end();
}

std::vector<StudyRun> plan_study(const Settings& settings, const std::vector<Method>& methods) {
  std::vector<StudyRun> runs;
  append(runs, control_runs(settings, methods));
  append(runs, trajectory_runs(settings, methods));
  append(runs, pairs_runs(settings, methods));
  append(runs, beta_runs(settings, methods));
  append(runs, ablation_runs(settings, methods));
  append(runs, timestep_runs(settings, methods));
  append(runs, tuned_runs(settings, methods));
  for (StudyRun& run : runs)
    if (run.pairs_per_class == 0) run.pairs_per_class = settings.pairs_per_class;
  return runs;
}

StudyReport study(const Settings& settings, const std::vector<Method>& methods, const Results& experiment,
                  const StopOnSignal& stop) {
  std::vector<StudySeed> seeds;
  for (size_t s = 0; s < experiment.references.size(); ++s) {
    const int64_t seed = settings.first_seed + int64_t(s);
    seeds.push_back({seed, seed_key(seed), experiment.references[s].get()});
  }
  StudyReport report{.samples_per_class = study_samples_per_class(settings)};
  report.results = run_study(settings, plan_study(settings, methods), seeds, stop);
  report.rows = summarize_study(report.results);
  return report;
}

std::string format_study(const StudyReport& report) {
  std::string text;
  const auto add = [&](const char* part, const char* title) {
    const std::string table = format_rows(report.rows, part, title, report.samples_per_class);
    if (!table.empty()) text += table + '\n';
  };
  add(kControlPart, "Controls");
  add(kDspoPart, "DSPO, temperature and lambda apart");
  add(kPairsPart, "Pairs a class");
  add(kBetaPart, "Strength of the preference");
  add(kAblationPart, "Reference updates and timesteps, long runs");
  add(kTunedPart, "Tuned: settings selected by the common search on other seeds");
  for (const char* metric : {"sw2", "spread", "radial_shift"}) {
    const std::string table = format_steps(report.rows, kTrajectoryPart, metric);
    if (!table.empty()) text += table + '\n';
  }
  return text;
}

Json study_json(const StudyReport& report) {
  Json rows = Json::array();
  for (const StudyRow& row : report.rows) rows.push_back(row_json(row, report.samples_per_class));
  Json json = Json::object();
  json.set("sampler", "ddim25").set("samples_per_class", report.samples_per_class);
  return json.set("rows", std::move(rows)).set("curves", curves_json(report.results));
}

}  // namespace plumb::toy2d
