#pragma once

#include <array>

#include "apps/toy2d/study/run.h"
#include "apps/toy2d/study/search_log.h"

// The common search: the same grid, seeds and rule for every method.
//
//   learning rate   1e-5, 3e-5, 1e-4, 3e-4
//   beta            0.1, 1, 10 times the method's default (SFT has none)
//   steps           25, 50, 100, 200, 400: checkpoints of one run
//   seeds           first_seed + 100, first_seed + 101, which no table reports
//   rule            least mean sw2, DDIM-25, 500 samples a class

namespace plumb::toy2d {

inline constexpr std::array kSearchRates = {1e-5, 3e-5, 1e-4, 3e-4};
inline constexpr std::array kSearchFactors = {0.1, 1.0, 10.0};
inline constexpr std::array<int64_t, 5> kSearchSteps = {25, 50, 100, 200, 400};
inline constexpr int64_t kSearchSeeds = 2, kSearchOffset = 100, kSearchSamples = 500;

/// What the search selected for a method on a pair source.
struct Selected {
  std::string method, pairs;
  double learning_rate = 0;
  double beta = 0;
  int64_t steps = 0;
  double sw2 = 0;     ///< mean over the search's seeds
  bool edge = false;  ///< an end of the rate or step axis: the best may lie outside the grid
};

/// The runs of the grid, for the methods called for.
std::vector<StudyRun> search_runs(const Settings& settings, const std::vector<Method>& methods);

/// Everything the numbers of one seed of a run depend on.
std::string search_key(const Settings& settings, const StudyRun& run, int64_t seed);

/// The best of each method and pair source among what the log holds. Throws ValueError when a run is missing.
std::vector<Selected> select_best(const Settings& settings, const std::vector<StudyRun>& runs, const SearchLog& log);

/// Trains the search's references and runs what the log does not hold yet. Returns false when a signal stopped it.
bool search(const Settings& settings, const std::vector<StudyRun>& runs, SearchLog& log, const StopOnSignal& stop);

/// One line a method and pair source, as rows of study/tuned.cpp.
std::string format_selected(const std::vector<Selected>& selected);

}  // namespace plumb::toy2d
