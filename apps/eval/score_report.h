#pragma once

#include <string>

#include "align/eval/score_summary.h"
#include "engine/io/json.h"

namespace plumb {

/// The members of metrics.json that docs/eval.md describes.
Json scores_json(const ScoreSummary& summary, const std::vector<ScoreFile>& files);
Json comparison_json(const ScoreComparison& comparison);

/// One table a field: categories down; the mean, and with the others given theirs, the difference, the win rate and its
/// counts across.
std::string format_scores(const ScoreSummary& ours, const ScoreSummary* theirs = nullptr,
                          const ScoreComparison* comparison = nullptr);

}  // namespace plumb
