#pragma once

#include <string>
#include <vector>

#include "apps/shapes/study/recipe.h"
#include "apps/shapes/study/rows.h"
#include "apps/shapes/study/stages.h"

namespace plumb::study {

/// Pipelines every row is measured against; empty: left out.
struct Models {
  std::string reference;  ///< learnt from noisy captions; what all rows begin with
  std::string continued;  ///< the reference, trained on for as many pictures as the longest row sees
  std::string clean;      ///< the ceiling: as the reference, from captions that are true
};

/// Data sets, the three models and the prompts: OUT/data, OUT/reference, OUT/clean, OUT/continued, OUT/prompts.
Models make_models(Stages& stages, const Recipe& recipe);

/// Prompt files: of the pairs (with duplicates), of search and guidance curves, of the test. The test's categories are
/// balanced, and half of its prompts hold pairs of shape and colour that no training caption has.
struct Prompts {
  std::string pairs, validation, test;
};
Prompts make_prompts(Stages& stages, const Recipe& recipe);

/// The preference sets that rows ask for, each once: OUT/pairs/NAME.
///   removal, swap, quality   winners of the reference with c, losers with a degraded c-, from the same noise
///   removal/KIND             the same pictures with another c-: empty, unrelated, equal, swapped (see control_pairs.h)
///   labelled                 four pictures a prompt of the reference and of the ceiling, ordered by the analyser's
///                            score with Bradley-Terry noise
void make_pairs(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                const std::vector<Row>& rows);

/// Where make_pairs put a row's set.
std::string pairs_path(const Stages& stages, const Row& row);

}  // namespace plumb::study
