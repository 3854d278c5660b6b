#pragma once

#include <string>

#include "apps/common/output_dir.h"
#include "apps/shapes/study/claims.h"

namespace plumb::study {

/// What a study found, for people: the table of rows, the search, the guidance curves and the claims.
std::string format_report(const Results& results, const RandomKey& key);

/// The same for programs: metrics.json (docs/shapes_study.md says what it holds).
Json report_json(const Recipe& recipe, const Results& results, const RandomKey& key);

/// guidance.svg and guidance.png: the score of every row over guidance.
void draw_guidance(const OutputDir& out, const Results& results);

}  // namespace plumb::study
