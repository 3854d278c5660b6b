#include "apps/shapes/study/train_row.h"

#include <algorithm>
#include <cmath>

#include "apps/align/settings.h"
#include "apps/common/published_settings.h"
#include "engine/format.h"
#include "engine/io/file.h"

namespace plumb::study {
namespace {

/// Numbers of a sample, which beta is scaled by.
int64_t elements_of(const std::string& model) {
  const std::string path = model + "/unet/config.json";
  const Json config = Json::parse(read_file(path), path);
  const int64_t side = config.at("sample_size").as_integer();
  return config.at("in_channels").as_integer() * side * side;
}

/// The published strength at this size.
double published_beta(const Row& row, const std::string& model) {
  for (const auto& [key, value] : objective_settings({.name = row.objective}, row.policy, elements_of(model)))
    if (key == "beta") return std::stod(value);
  const PublishedSettings* published = find_published(row.objective, row.policy);
  return published ? published->beta.value_or(1) : 1;
}

}  // namespace

std::vector<Candidate> candidates(const Recipe& recipe, const Row& row) {
  std::vector<double> rates = recipe.learning_rates, betas = recipe.betas;
  std::sort(rates.begin(), rates.end());
  if (!row.has_beta) {
    // One rate goes with every strength; without one the same number of runs looks at rates between and above.
    const double step = rates.size() > 1 ? rates.back() / rates[rates.size() - 2] : 3;
    const double low = rates.front(), high = rates.back() * step;
    const size_t count = recipe.learning_rates.size() * recipe.betas.size();
    rates.clear();
    for (size_t i = 0; i < count; ++i)
      rates.push_back(count == 1 ? low : low * std::pow(high / low, double(i) / double(count - 1)));
    betas = {1};
  }
  for (double& rate : rates) rate *= row.rate_scale;
  std::vector<Candidate> all;
  for (const int64_t steps : recipe.steps)
    for (const double rate : rates)
      for (const double beta : betas) all.push_back({.learning_rate = rate, .steps = steps, .beta = beta});
  return all;
}

std::optional<std::string> train_row(Stages& stages, const Recipe& recipe, const std::string& reference,
                                     const RowRun& run) {
  const Row& row = run.row;
  const Candidate& settings = run.settings;
  const int64_t warmup = settings.steps / 10;
  Arguments words = {"--model",
                     reference,
                     "--data",
                     pairs_path(stages, row),
                     "--objective",
                     row.objective,
                     "--policy",
                     row.policy,
                     "--seed",
                     fmt::format("{}", run.seed),
                     "--train_batch_size",
                     fmt::format("{}", recipe.batch),
                     "--max_train_steps",
                     fmt::format("{}", settings.steps),
                     "--learning_rate",
                     fmt::format("{:.3g}", settings.learning_rate),
                     "--lr_warmup_steps",
                     fmt::format("{}", warmup)};
  if (row.has_beta) {
    const double base = row.base_beta > 0 ? row.base_beta : published_beta(row, reference);
    for (const std::string& word : row.beta_words)
      words.push_back(fmt::format(fmt::runtime(word), fmt::format("{:.6g}", settings.beta * base)));
  }
  words.insert(words.end(), row.flags.begin(), row.flags.end());
  if (stages.run(run.name, "align", words) == StageEnd::unhealthy) return std::nullopt;
  return stages.path(run.name) + "/model";
}

}  // namespace plumb::study
