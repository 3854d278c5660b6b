#pragma once

#include <optional>
#include <string>
#include <vector>

#include "align/eval/score_summary.h"
#include "apps/shapes/study/results.h"

namespace plumb::study {

/// What a table of a paper says, and whether this study shows it: row `a` scores higher than row `b` by more than
/// `margin`, at the reference's best guidance.
struct Claim {
  std::string table, claim, a, b;
  double margin = 0;  ///< below 0 for "comes close to"
};

/// Every claim the study can look at, by paper.
const std::vector<Claim>& all_claims();

enum class Verdict { held, did_not_hold, undetermined };
std::string_view word_of(Verdict verdict);

struct Judged {
  Claim claim;
  Verdict verdict;
  /// Of the share that is correct, a - b: at the reference's best guidance, which decides; without guidance; each row
  /// at its own best. Missing where the rows were not tested there.
  Interval difference;
  std::optional<Interval> at_one = {}, at_own_best = {};
};

/// Claims both of whose rows are there. Held when the 95% interval of the difference lies above the margin, did not
/// hold when it lies below, undetermined otherwise. Intervals resample prompts and, where rows have several models,
/// those, too.
std::vector<Judged> judge_claims(const Results& results, const RandomKey& key);

/// Row `a` against row `b` at a guidance both were tested at, or each at its own best, or nothing.
std::optional<ScoreComparison> compare_rows(const Results& results, const std::string& a, const std::string& b,
                                            std::optional<double> guidance, const RandomKey& key);

/// What compare_rows() finds of the share that is correct, with its widest interval.
std::optional<Interval> difference_of(const Results& results, const std::string& a, const std::string& b,
                                      std::optional<double> guidance, const RandomKey& key);

/// The interval that takes the training seeds in, where there are several; else that of the prompts.
Interval widest(const ScoreMeans& means, size_t column);

}  // namespace plumb::study
