#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/shapes/study/search.h"

namespace plumb::study {

/// One model of a row.
struct Trained {
  int64_t seed = 0;
  std::string model = {};                  ///< its folder
  std::map<double, ScoreFile> tests = {};  ///< at 1, at the reference's best guidance and at the row's own best
};

/// A line of the table.
struct RowResult {
  std::string name = {}, paper = {}, data = {};
  Candidate settings = {};           ///< of rows that were trained
  std::vector<Trained> models = {};  ///< healthy ones, by seed
  int64_t unhealthy = 0;
  std::map<double, double> curve = {};  ///< score of the first model on the validation prompts, by guidance
  double own_best = 1;                  ///< guidance at the curve's top
};

struct Results {
  double reference_best = 1;  ///< guidance at which the reference scores best on the validation prompts
  std::vector<RowResult> rows = {};
  std::map<std::string, Tuned> tuned = {};
};

/// The reference, what bounds it, and every row: trained, drawn over all guidance scales on the validation prompts,
/// and drawn for the test.
Results run_rows(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                 const std::vector<Row>& rows);

/// Null where there is none of that name.
const RowResult* find_row(const Results& results, const std::string& name);

}  // namespace plumb::study
