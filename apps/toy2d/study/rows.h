#pragma once

#include "apps/toy2d/study/run.h"
#include "apps/toy2d/summary.h"
#include "engine/io/json.h"

namespace plumb::toy2d {

/// One run at one checkpoint, over its seeds.
struct StudyRow {
  std::string part, variant, pairs;
  int64_t pairs_per_class = 0;
  int64_t step = 0;
  Method method;
  std::vector<int64_t> seeds;
  int64_t diverged = 0;  ///< seeds whose loss was not finite before this step; their values are NaN
  std::vector<std::pair<std::string_view, Spread>> metrics;  ///< kMetricNames without score_error

  const Spread& operator[](std::string_view metric) const;
};

std::vector<StudyRow> summarize_study(const std::vector<StudyResult>& results);

/// Which row; step 0: the run's last.
struct StudyRowName {
  std::string part, variant, pairs;
  int64_t pairs_per_class = 0;  ///< 0: any
  int64_t step = 0;             ///< 0: the last
};

/// The row, or null.
const StudyRow* find_row(const std::vector<StudyRow>& rows, const StudyRowName& name);

/// The rows of one part with mean ± deviation, under a head that says what was drawn.
std::string format_rows(const std::vector<StudyRow>& rows, std::string_view part, std::string_view title,
                        int64_t samples_per_class);

/// One metric of one part as variant by step.
std::string format_steps(const std::vector<StudyRow>& rows, std::string_view part, std::string_view metric);

/// {"part", "variant", "method", "pairs", "sampler", "pairs_per_class", "samples_per_class", "step", "lr", "beta",
/// "seeds", "diverged", "metrics": {NAME: {mean, std, values}}}.
Json row_json(const StudyRow& row, int64_t samples_per_class);

}  // namespace plumb::toy2d
