#pragma once

#include <optional>
#include <string>
#include <vector>

#include "align/eval/score_file.h"
#include "nn/metrics/cluster_bootstrap.h"

namespace plumb {

/// Means by column with intervals that resample prompts within their category; and, of several runs, with intervals
/// that resample the runs, too.
struct ScoreMeans {
  BootstrapMeans prompts = {};
  std::optional<BootstrapMeans> runs = {};
  std::vector<double> run_means = {};  ///< [runs, columns], each over all pictures of its run
};

/// How many of what a category, or all of them, has.
struct ScoreCounts {
  int64_t prompts = 0, pictures = 0;  ///< of all runs together
  std::vector<int64_t> scored = {};   ///< [fields], pictures with a value
};

/// The scores of one method, of one run or of several (training seeds).
struct ScoreSummary {
  std::vector<std::string> fields = {};
  std::vector<std::string> categories = {};  ///< sorted; one "" where the files have none
  ScoreCounts all = {};
  std::vector<ScoreCounts> by_category = {};
  ScoreMeans means = {};  ///< a column a field
};

/// Throws ValueError: no files, files whose fields differ, a prompt in two categories.
ScoreSummary summarize_scores(const std::vector<ScoreFile>& runs, const BootstrapOptions& options,
                              const RandomKey& key);

/// Pairs of pictures by who won.
struct WinCounts {
  int64_t wins = 0, ties = 0, losses = 0;
};

/// One method against another on the same prompts with the same noise.
struct ScoreComparison {
  std::vector<std::string> fields = {};
  std::vector<std::string> categories = {};
  int64_t pairs = 0;                                  ///< pictures compared, of all runs
  int64_t unmatched = 0;                              ///< pictures of either that the other lacks
  std::vector<WinCounts> all = {}, by_category = {};  ///< [fields], [categories, fields]
  /// Columns 2f and 2f + 1 are field f's difference (ours - theirs) and win (1, a tie one half, 0).
  ScoreMeans means = {};
};

/// Pairs pictures by (prompt, seed), run i of ours with run i of theirs, or with their only run. A field's pair counts
/// where both have a value. `common_only` counts pictures that the other lacks instead of refusing them.
/// Throws ValueError for numbers of runs that cannot be paired, files whose fields differ, a prompt in two categories,
/// and for unmatched pictures, naming one.
ScoreComparison compare_scores(const std::vector<ScoreFile>& ours, const std::vector<ScoreFile>& theirs,
                               bool common_only, const BootstrapOptions& options, const RandomKey& key);

}  // namespace plumb
