#include "apps/shapes/study/search.h"

#include "apps/common/jobs.h"
#include "engine/format.h"

namespace plumb::study {
namespace {

constexpr int64_t kSearchSeed = 900;  // reported runs count from 0

Candidate best_of(const std::vector<Searched>& runs) {
  const Searched* best = &runs.front();
  for (const Searched& run : runs)
    if (run.score > best->score) best = &run;
  return best->settings;
}

}  // namespace

std::map<std::string, Tuned> search(Stages& stages, const Recipe& recipe, const std::string& reference,
                                    const std::vector<Row>& rows, const Judge& judge) {
  struct Task {
    const Row* row;
    std::string name;
    Searched* run;
  };
  std::map<std::string, Tuned> tuned;
  for (const Row& row : rows) {
    if (!row.tuned_as.empty()) continue;
    for (const Candidate& candidate : candidates(recipe, row)) tuned[row.name].runs.push_back({.settings = candidate});
  }
  std::vector<Task> tasks;
  for (const Row& row : rows)
    for (size_t i = 0; row.tuned_as.empty() && i < tuned[row.name].runs.size(); ++i)
      tasks.push_back({&row, fmt::format("search/{}/{}", row.name, i), &tuned[row.name].runs[i]});
  run_jobs(stages.jobs(), int64_t(tasks.size()), [&](int64_t i) {
    const Task& task = tasks[size_t(i)];
    const int64_t seed = recipe.global.seed * 1000 + kSearchSeed;
    const auto model = train_row(stages, recipe, reference, {task.name, *task.row, task.run->settings, seed});
    task.run->healthy = model.has_value();
    if (model)
      task.run->score =
          mean_of(measure(stages, recipe, {task.name, *model}, judge.validation, judge.guidance), kCorrect);
  });
  for (auto& [name, found] : tuned) found.best = best_of(found.runs);
  for (const Row& row : rows)
    if (!row.tuned_as.empty()) tuned[row.name].best = tuned.at(row.tuned_as).best;
  return tuned;
}

}  // namespace plumb::study
