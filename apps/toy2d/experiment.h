#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "align/eval/mode_metrics.h"
#include "apps/common/signals.h"
#include "apps/toy2d/finetune.h"
#include "apps/toy2d/settings.h"

namespace plumb::toy2d {

/// What identifies a row of the table: METHOD/PAIRS/SAMPLER. Rows that need none say "none".
struct RowName {
  std::string method;
  std::string pairs;
  std::string sampler;
  auto operator<=>(const RowName&) const = default;
};

/// One seed's share of a row.
struct RowResult {
  RowName row;
  int64_t seed = 0;
  Tensor samples;  ///< f32 [K, S, 2]
  ModeMetrics metrics;
  double score_error = 0;  ///< rms over points and t of (predicted - exact clean noise); NaN for data rows
};

/// A point of a learning curve: metrics of DDIM samples after so many steps.
struct CurvePoint {
  RowName row;
  int64_t seed = 0;
  int64_t step = 0;
  ModeMetrics metrics;
};

/// One line of log.jsonl.
struct LogLine {
  RowName row;
  int64_t seed = 0;
  int64_t step = 0;
  double learning_rate = 0;
  double grad_norm = 0;
  StepStatistics statistics;
};

struct Results {
  std::vector<RowResult> rows;     ///< in table order, then by seed
  std::vector<CurvePoint> curves;  ///< first seed only
  std::vector<LogLine> log;
  Tensor centers;                                                  ///< [K, 2]
  std::vector<std::unique_ptr<PointDenoiser>> references;          ///< by seed
  std::map<std::string, std::unique_ptr<PointDenoiser>> students;  ///< of the first seed on the first pair source
  bool interrupted = false;
};

/// Runs the whole experiment: a reference a seed, pairs, every method on every pair source, every sampler. Seeds and
/// methods run in parallel; the results do not depend on the number of threads. Stops between steps when a signal asks
/// for it.
Results run_experiment(const Settings& settings, const std::vector<Method>& methods, const StopOnSignal& stop);

}  // namespace plumb::toy2d
