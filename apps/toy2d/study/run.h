#pragma once

#include <memory>
#include <string>
#include <vector>

#include "align/eval/mode_metrics.h"
#include "align/preference.h"
#include "apps/common/signals.h"
#include "apps/toy2d/settings.h"
#include "apps/toy2d/study/timestep_profile.h"
#include "diffusion/point_denoiser.h"

namespace plumb::toy2d {

/// One fine-tuning run of the study and where it is measured. A part of the study is a list of these.
struct StudyRun {
  std::string part;                       ///< controls, ablation, …
  std::string variant;                    ///< name inside the part; unique together with pairs and pairs_per_class
  Method method = {};                     ///< steps are those of the last checkpoint
  std::string pairs = "clean";            ///< pair source
  int64_t pairs_per_class = 0;            ///< N; 0: the run's
  std::vector<int64_t> checkpoints = {};  ///< increasing step counts to measure at; 0 is the reference
  int64_t seeds = 5;                      ///< at most; the first seeds of the study
  bool by_timestep = false;               ///< also measure the student by timestep at the end
};

struct StudyPoint {
  int64_t step = 0;
  ModeMetrics metrics;
};

/// One seed of one run.
struct StudyOutcome {
  std::vector<StudyPoint> points;         ///< one a checkpoint reached
  std::vector<double> implicit_accuracy;  ///< by step; NaN where the objective has none
  std::vector<double> margin;             ///< by step; NaN where the objective has none
  int64_t diverged_at = 0;                ///< step whose loss was not finite; 0: none
  TimestepProfile by_timestep = {};       ///< where asked for
};

struct StudyResult {
  StudyRun run;
  std::vector<int64_t> seeds;
  std::vector<StudyOutcome> outcomes;  ///< by seed; empty points where the study was interrupted
};

/// One seed's reference and what it is measured against. The reference outlives it.
struct StudySeed {
  int64_t seed = 0;
  RandomKey key = {};
  PointDenoiser* reference = nullptr;
};

/// The key everything of one seed is drawn from.
RandomKey seed_key(int64_t seed);

/// Samples drawn for every measurement of the study: DDIM with 25 steps.
int64_t study_samples_per_class(const Settings& settings);

/// The preference set of a seed: the first run of a method on it draws the same pairs as the main table does.
PreferencePairs study_pairs(const Settings& settings, const StudySeed& seed, const std::string& source,
                            int64_t pairs_per_class);

/// For whoever keeps results as they come in. Both are called from any thread.
struct StudyObserver {
  /// One seed of one run is done.
  void (*done)(void* context, const StudyRun& run, int64_t seed, const StudyOutcome& outcome) = nullptr;
  /// Whether to leave one out; its outcome stays empty.
  bool (*skip)(void* context, const StudyRun& run, int64_t seed) = nullptr;
  void* context = nullptr;
};

/// Runs everything, seeds and runs in parallel; results do not depend on the number of threads. A run whose loss stops
/// being finite ends there and says so. Stops between runs when a signal asks for it.
std::vector<StudyResult> run_study(const Settings& settings, const std::vector<StudyRun>& runs,
                                   const std::vector<StudySeed>& seeds, const StopOnSignal& stop,
                                   const StudyObserver& observer = {});

}  // namespace plumb::toy2d
