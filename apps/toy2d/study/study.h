#pragma once

#include "apps/toy2d/experiment.h"
#include "apps/toy2d/study/rows.h"

namespace plumb::toy2d {

/// What `--methods all` adds to the table: every part's runs and their rows.
struct StudyReport {
  int64_t samples_per_class = 0;
  std::vector<StudyResult> results = {};
  std::vector<StudyRow> rows = {};
};

/// Whether the settings ask for it: --methods all.
bool wants_study(const Settings& settings);

/// Every part's runs for the methods called for, in the order they are reported.
std::vector<StudyRun> plan_study(const Settings& settings, const std::vector<Method>& methods);

/// Runs the study on the references the experiment trained.
StudyReport study(const Settings& settings, const std::vector<Method>& methods, const Results& experiment,
                  const StopOnSignal& stop);

/// The tables of the terminal.
std::string format_study(const StudyReport& report);

/// metrics.json's "study": {"sampler", "samples_per_class", "rows": [row_json], "curves": [{variant, pairs, seed,
/// implicit_accuracy, margin}] by step, "timesteps": [{variant, pairs, seed, score_error by t, rewards: [{begin, end,
/// reward_scale, accuracy}]}]}.
Json study_json(const StudyReport& report);

}  // namespace plumb::toy2d
