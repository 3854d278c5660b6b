#include "apps/toy2d/study/study.h"

#include <algorithm>
#include <cmath>

#include "apps/toy2d/report.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

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

Json bin_json(const TimestepBin& bin) {
  Json json = Json::object();
  json.set("begin", bin.begin).set("end", bin.end);
  json.set("reward_scale", bin.reward_scale ? Json(*bin.reward_scale) : Json());
  return json.set("accuracy", bin.accuracy ? Json(*bin.accuracy) : Json());
}

/// What was measured by timestep.
Json timesteps_json(const std::vector<StudyResult>& results) {
  Json list = Json::array();
  for (const StudyResult& result : results) {
    if (!result.run.by_timestep) continue;
    for (size_t s = 0; s < result.seeds.size(); ++s) {
      Json json = Json::object(), bins = Json::array();
      for (const TimestepBin& bin : result.outcomes[s].by_timestep.rewards) bins.push_back(bin_json(bin));
      json.set("variant", result.run.variant).set("pairs", result.run.pairs).set("seed", result.seeds[s]);
      json.set("score_error", list_of(result.outcomes[s].by_timestep.score_error));
      list.push_back(json.set("rewards", std::move(bins)));
    }
  }
  return list;
}

/// Score error and preference accuracy by timestep, means over seeds.
std::string format_timesteps(const std::vector<StudyResult>& results) {
  std::string text;
  for (const StudyResult& result : results) {
    if (!result.run.by_timestep || result.outcomes.front().by_timestep.rewards.empty()) continue;
    if (text.empty())
      text = "By timestep, in tenths from least to most noise: preference accuracy, scale of the reward\n";
    for (const bool accuracy : {true, false}) {
      text += fmt::format("{:<24} {:<9}", accuracy ? result.run.variant : "", accuracy ? "accuracy" : "scale");
      for (size_t bin = 0; bin < result.outcomes.front().by_timestep.rewards.size(); ++bin) {
        Spread spread;
        for (const StudyOutcome& outcome : result.outcomes) {
          const TimestepBin& one = outcome.by_timestep.rewards.at(bin);
          spread.values.push_back((accuracy ? one.accuracy : one.reward_scale).value_or(std::nan("")));
        }
        text += fmt::format(" {:>7.3f}", spread.mean());
      }
      text += '\n';
    }
  }
  return text;
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
  const std::string by_timestep = format_timesteps(report.results);
  return by_timestep.empty() ? text : text + by_timestep + '\n';
}

Json study_json(const StudyReport& report) {
  Json rows = Json::array();
  for (const StudyRow& row : report.rows) rows.push_back(row_json(row, report.samples_per_class));
  Json json = Json::object();
  json.set("sampler", "ddim25").set("samples_per_class", report.samples_per_class);
  return json.set("rows", std::move(rows))
      .set("curves", curves_json(report.results))
      .set("timesteps", timesteps_json(report.results));
}

}  // namespace plumb::toy2d
