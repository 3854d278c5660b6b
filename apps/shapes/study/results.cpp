#include "apps/shapes/study/results.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/jobs.h"
#include "apps/shapes/study/negative_prompts.h"
#include "engine/format.h"

namespace plumb::study {
namespace {

// Noise of the validation and the test pictures, the same for every model.
constexpr int64_t kValidationNoise = 100'000, kTestNoise = 1'000'000;

/// Draws and scores rows over guidance scales.
class Examiner {
 public:
  Examiner(Stages& stages, const Recipe& recipe, const Prompts& prompts)
      : stages_(stages),
        recipe_(recipe),
        validation_{"validation", prompts.validation, recipe.validation_images, kValidationNoise},
        test_{"test", prompts.test, recipe.images, kTestNoise} {}

  const Sitting& validation() const { return validation_; }

  /// The row's curve, which its first model is drawn for.
  void draw_curve(RowResult& row) {
    if (row.models.empty()) return;
    std::vector<double> scores(recipe_.guidance.size());
    run_jobs(stages_.jobs(), int64_t(scores.size()), [&](int64_t i) {
      const double guidance = recipe_.guidance[size_t(i)];
      scores[size_t(i)] =
          mean_of(measure(stages_, recipe_, sitter(row, row.models.front()), validation_, guidance), kCorrect);
    });
    for (size_t i = 0; i < scores.size(); ++i) row.curve[recipe_.guidance[i]] = scores[i];
    for (const auto& [guidance, score] : row.curve)
      if (score > row.curve.at(row.own_best)) row.own_best = guidance;
  }

  /// The tests of several rows at 1, at `reference_best`, and at each row's own best.
  void test(const std::vector<RowResult*>& rows, double reference_best) {
    struct Task {
      const RowResult* row;
      Trained* model;
      double guidance;
      ScoreFile found = {};
    };
    std::vector<Task> tasks;
    for (RowResult* row : rows)
      for (Trained& model : row->models) {
        std::vector<double> scales = {1.0, reference_best, row->own_best};
        std::sort(scales.begin(), scales.end());
        scales.erase(std::unique(scales.begin(), scales.end()), scales.end());
        for (const double guidance : scales) tasks.push_back({row, &model, guidance});
      }
    run_jobs(stages_.jobs(), int64_t(tasks.size()), [&](int64_t i) {
      Task& task = tasks[size_t(i)];
      task.found = measure(stages_, recipe_, sitter(*task.row, *task.model), test_, task.guidance);
    });
    for (Task& task : tasks) task.model->tests.emplace(task.guidance, std::move(task.found));
    for (const RowResult* row : rows) draw_sheet(*row, reference_best);
  }

 private:
  /// Pictures of the test to look at, of the first model: the same prompts for every row.
  void draw_sheet(const RowResult& row, double guidance) {
    if (row.models.empty()) return;
    const std::string images = stages_.path(pictures_stage(sitter(row, row.models.front()), test_, guidance));
    const std::string path = stages_.path("sheets/" + row.name + ".png");
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    stages_.run_beside("sheets/" + row.name, "shapes",
                       {"sheet", "--images", images, "--world", recipe_.world, "--out", path});
  }

  static Sitter sitter(const RowResult& row, const Trained& model) {
    return {row.settings.steps > 0 ? fmt::format("{}/seed{}", row.name, model.seed) : row.name, model.model};
  }

  Stages& stages_;
  const Recipe& recipe_;
  Sitting validation_, test_;
};

RowResult fixed_row(const std::string& name, const std::string& model) {
  RowResult row{.name = name};
  row.models = {{.model = model}};
  return row;
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

/// Every seed of every row. A training is cheap beside the pictures that judge it.
void train_rows(Stages& stages, const Recipe& recipe, const Models& models, const std::vector<Row>& rows,
                Results& results) {
  std::vector<std::optional<std::string>> trained(rows.size() * size_t(recipe.seeds));
  run_jobs(stages.jobs(), int64_t(trained.size()), [&](int64_t i) {
    const Row& row = rows[size_t(i / recipe.seeds)];
    const int64_t seed = i % recipe.seeds;
    trained[size_t(i)] = train_row(stages, recipe, models.reference,
                                   {fmt::format("rows/{}/seed{}", row.name, seed), row, results.tuned.at(row.name).best,
                                    recipe.global.seed * 1000 + seed});
  });
  for (size_t r = 0; r < rows.size(); ++r) {
    RowResult result{.name = rows[r].name, .paper = rows[r].paper, .data = rows[r].data};
    result.settings = results.tuned.at(rows[r].name).best;
    for (int64_t seed = 0; seed < recipe.seeds; ++seed) {
      const auto& model = trained[r * size_t(recipe.seeds) + size_t(seed)];
      if (model)
        result.models.push_back({.seed = seed, .model = *model});
      else
        ++result.unhealthy;
    }
    results.rows.push_back(std::move(result));
  }
}

}  // namespace

Results run_rows(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                 const std::vector<Row>& rows) {
  Examiner examiner(stages, recipe, prompts), negative(stages, recipe, negative_prompts(stages, recipe, prompts));
  Results results;
  results.rows = {fixed_row("reference", models.reference), fixed_row("reference_negative", models.reference)};
  if (!models.continued.empty()) results.rows.push_back(fixed_row("continued", models.continued));
  if (!models.clean.empty()) results.rows.push_back(fixed_row("clean", models.clean));
  const size_t fixed = results.rows.size();
  for (RowResult& row : results.rows) (row.name == "reference_negative" ? negative : examiner).draw_curve(row);
  results.reference_best = results.rows.front().own_best;
  results.tuned = search(stages, recipe, models.reference, rows, {examiner.validation(), results.reference_best});
  train_rows(stages, recipe, models, rows, results);
  std::vector<RowResult*> plain, guided;
  for (RowResult& row : results.rows) (row.name == "reference_negative" ? guided : plain).push_back(&row);
  for (size_t i = fixed; i < results.rows.size(); ++i) examiner.draw_curve(results.rows[i]);
  examiner.test(plain, results.reference_best);
  negative.test(guided, results.reference_best);
  return results;
}

const RowResult* find_row(const Results& results, const std::string& name) {
  for (const RowResult& row : results.rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace plumb::study
