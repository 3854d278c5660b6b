#include "apps/shapes/study/search.h"

#include "engine/format.h"

namespace plumb::study {
namespace {

constexpr int64_t kSearchSeed = 900;  // reported runs count from 0

Tuned search_row(Stages& stages, const Recipe& recipe, const Models& models, const Row& row, const Sitting& validation,
                 double guidance) {
  Tuned tuned;
  for (const Candidate& candidate : candidates(recipe, row)) {
    const std::string name = fmt::format("search/{}/{}", row.name, tuned.runs.size());
    Searched run{.settings = candidate};
    const auto model =
        train_row(stages, recipe, models.reference, {name, row, candidate, recipe.global.seed * 1000 + kSearchSeed});
    run.healthy = model.has_value();
    if (model) run.score = mean_of(measure(stages, recipe, name, *model, validation, guidance), kCorrect);
    tuned.runs.push_back(run);
  }
  const Searched* best = &tuned.runs.front();
  for (const Searched& run : tuned.runs)
    if (run.score > best->score) best = &run;
  tuned.best = best->settings;
  return tuned;
}

}  // namespace

std::map<std::string, Tuned> search(Stages& stages, const Recipe& recipe, const Models& models,
                                    const std::vector<Row>& rows, const Sitting& validation, double guidance) {
  std::map<std::string, Tuned> tuned;
  for (const Row& row : rows)
    if (row.tuned_as.empty()) tuned[row.name] = search_row(stages, recipe, models, row, validation, guidance);
  for (const Row& row : rows)
    if (!row.tuned_as.empty()) tuned[row.name].best = tuned.at(row.tuned_as).best;
  return tuned;
}

}  // namespace plumb::study
