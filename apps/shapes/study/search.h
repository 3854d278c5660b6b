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

/// What decides between candidates: the score on these prompts at this guidance.
struct Judge {
  Sitting validation;
  double guidance = 1;
};

/// Searches the settings of every row that is searched for itself: all candidates, one training seed that no reported
/// run has. Of equals the first is taken. By row; a row that takes another's settings has those and no runs.
std::map<std::string, Tuned> search(Stages& stages, const Recipe& recipe, const std::string& reference,
                                    const std::vector<Row>& rows, const Judge& judge);

}  // namespace plumb::study
