#include "apps/shapes/study/results.h"

#include <algorithm>
#include <filesystem>

#include "apps/shapes/study/negative_prompts.h"
#include "engine/format.h"

namespace plumb::study {
namespace {

// Noise of the validation and the test pictures, the same for every model.
constexpr int64_t kValidationNoise = 100'000, kTestNoise = 1'000'000;

/// Draws and scores models over guidance scales.
class Examiner {
 public:
  Examiner(Stages& stages, const Recipe& recipe, const Prompts& prompts)
      : stages_(stages),
        recipe_(recipe),
        validation_{"validation", prompts.validation, recipe.validation_images, kValidationNoise},
        test_{"test", prompts.test, recipe.images, kTestNoise} {}

  const Sitting& validation() const { return validation_; }
  void set_reference_best(double guidance) { reference_best_ = guidance; }

  Trained examine(const std::string& name, const std::string& model, int64_t seed = 0) {
    Trained found{.seed = seed};
    double top = -1;
    for (const double guidance : recipe_.guidance) {
      const double score = mean_of(measure(stages_, recipe_, name, model, validation_, guidance), kCorrect);
      found.curve[guidance] = score;
      if (score > top) top = score, found.own_best = guidance;
    }
    const double shared = reference_best_ > 0 ? reference_best_ : found.own_best;
    for (const double guidance : {1.0, shared, found.own_best})
      if (!found.tests.contains(guidance))
        found.tests.emplace(guidance, measure(stages_, recipe_, name, model, test_, guidance));
    return found;
  }

 private:
  Stages& stages_;
  const Recipe& recipe_;
  Sitting validation_, test_;
  double reference_best_ = 0;  // not known before the reference was drawn
};

RowResult fixed_row(Examiner& examiner, const std::string& name, const std::string& model) {
  return {.name = name, .paper = "", .data = "", .models = {examiner.examine(name, model)}};
}

/// Prompts as they are, with c- as what guidance leads away from.
Prompts negative_prompts(const Stages& stages, const Recipe& recipe, const Prompts& prompts) {
  const RandomKey key = RandomKey{.seed = uint64_t(recipe.global.seed)}.fork("negative prompts");
  Prompts negative = prompts;
  for (std::string* file : {&negative.validation, &negative.test}) {
    const std::string from = *file;
    *file = stages.path("prompts/" + std::filesystem::path(from).stem().string() + "_negative.jsonl");
    write_negative_prompts(from, *file, key);
  }
  return negative;
}

RowResult trained_row(Stages& stages, const Recipe& recipe, const Models& models, const Row& row,
                      const Candidate& settings, Examiner& examiner) {
  RowResult result{.name = row.name, .paper = row.paper, .data = row.data, .settings = settings};
  for (int64_t seed = 0; seed < recipe.seeds; ++seed) {
    const std::string name = fmt::format("rows/{}/seed{}", row.name, seed);
    const auto model =
        train_row(stages, recipe, models.reference, {name, row, settings, recipe.global.seed * 1000 + seed});
    if (model)
      result.models.push_back(examiner.examine(fmt::format("{}/seed{}", row.name, seed), *model, seed));
    else
      ++result.unhealthy;
  }
  return result;
}

}  // namespace

Results run_rows(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                 const std::vector<Row>& rows) {
  Examiner examiner(stages, recipe, prompts);
  Results results;
  results.rows.push_back(fixed_row(examiner, "reference", models.reference));
  results.reference_best = results.rows.front().models.front().own_best;
  examiner.set_reference_best(results.reference_best);
  Examiner negative(stages, recipe, negative_prompts(stages, recipe, prompts));
  negative.set_reference_best(results.reference_best);
  results.rows.push_back(fixed_row(negative, "reference_negative", models.reference));
  results.rows.push_back(fixed_row(examiner, "continued", models.continued));
  results.rows.push_back(fixed_row(examiner, "clean", models.clean));
  results.tuned = search(stages, recipe, models, rows, examiner.validation(), results.reference_best);
  for (const Row& row : rows)
    results.rows.push_back(trained_row(stages, recipe, models, row, results.tuned.at(row.name).best, examiner));
  return results;
}

const RowResult* find_row(const Results& results, const std::string& name) {
  for (const RowResult& row : results.rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace plumb::study
