#pragma once

#include <optional>
#include <string>

#include "apps/shapes/study/data.h"
#include "apps/shapes/study/measure.h"

namespace plumb::study {

/// What is searched for: one learning rate, one number of steps, one strength.
struct Candidate {
  double learning_rate = 0;
  int64_t steps = 0;
  double beta = 1;  ///< a multiple of the published strength
};

/// One training of a row.
struct RowRun {
  std::string name;  ///< of its stage
  const Row& row;
  Candidate settings;
  int64_t seed;
};

/// As many for every row: rates x steps x betas. A row without beta has as many rates instead, over the same range and
/// a step beyond it.
std::vector<Candidate> candidates(const Recipe& recipe, const Row& row);

/// Fine-tunes the reference, a pipeline's folder. The new pipeline's folder, or nothing where a health rule ended the
/// run.
std::optional<std::string> train_row(Stages& stages, const Recipe& recipe, const std::string& reference,
                                     const RowRun& run);

}  // namespace plumb::study
