#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/shapes/study/train_row.h"

namespace plumb::study {

/// One run of the search and what it scored on the validation prompts; a run that a health rule ended scores 0.
struct Searched {
  Candidate settings;
  double score = 0;
  bool healthy = true;
};

/// What was looked at for a row, and what it is trained with.
struct Tuned {
  std::vector<Searched> runs;
  Candidate best;
};

/// Searches the settings of every row that is searched for itself: all candidates, one training seed that no reported
/// run has, judged by the validation prompts' score at `guidance`. Of equals the first is taken. By row.
std::map<std::string, Tuned> search(Stages& stages, const Recipe& recipe, const Models& models,
                                    const std::vector<Row>& rows, const Sitting& validation, double guidance);

}  // namespace plumb::study
