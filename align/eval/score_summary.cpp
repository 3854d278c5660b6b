#include "align/eval/score_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "engine/require.h"

namespace plumb {
namespace {

/// Prompts as clusters and categories as strata, over any number of files.
class PromptIndex {
 public:
  void add(const ScoredPicture& picture, const ScoreFile& file) {
    const auto [known, is_new] = category_.emplace(picture.prompt, picture.category);
    require<ValueError>(known->second == picture.category,
                        "scores: a prompt must have one category (\"{}\" has \"{}\" and \"{}\" in {})", picture.prompt,
                        known->second, picture.category, file.path);
  }

  /// Numbers everything, in sorted order.
  void close() {
    for (const auto& [prompt, category] : category_) categories_.push_back(category);
    std::sort(categories_.begin(), categories_.end());
    categories_.erase(std::unique(categories_.begin(), categories_.end()), categories_.end());
    for (const auto& [prompt, category] : category_) cluster_.emplace(prompt, int64_t(cluster_.size()));
  }

  int64_t cluster(const std::string& prompt) const { return cluster_.at(prompt); }
  size_t category(const ScoredPicture& picture) const {
    return size_t(std::lower_bound(categories_.begin(), categories_.end(), picture.category) - categories_.begin());
  }
  const std::vector<std::string>& categories() const { return categories_; }

  ClusterTable table(int64_t runs, int64_t columns) const {
    ClusterTable table{.runs = runs, .columns = columns};
    for (const auto& [prompt, category] : category_)
      table.stratum.push_back(std::lower_bound(categories_.begin(), categories_.end(), category) - categories_.begin());
    table.sum.resize(size_t(runs * columns) * category_.size());
    table.count.resize(table.sum.size());
    return table;
  }

 private:
  std::map<std::string, std::string> category_;
  std::map<std::string, int64_t> cluster_;
  std::vector<std::string> categories_;
};

void require_same_fields(const std::vector<ScoreFile>& files, const std::vector<std::string>& fields) {
  require<ValueError>(!files.empty(), "scores: there must be a file");
  for (const ScoreFile& file : files)
    require<ValueError>(file.fields == fields, "scores: files must have the same fields ({}: {}; {}: {})",
                        files.front().path, fmt::join(fields, " "), file.path, fmt::join(file.fields, " "));
}

ScoreMeans means_of(const ClusterTable& table, BootstrapOptions options, const RandomKey& key) {
  options.resample_runs = false;
  ScoreMeans means{bootstrap_means(table, options, key), {}, {}};
  options.resample_runs = true;
  if (table.runs > 1) means.runs = bootstrap_means(table, options, key);
  for (int64_t r = 0; r < table.runs; ++r)
    for (int64_t k = 0; k < table.columns; ++k) {
      double sum = 0, count = 0;
      for (int64_t c = 0; c < table.clusters(); ++c) {
        const size_t at = size_t((r * table.clusters() + c) * table.columns + k);
        sum += table.sum[at], count += table.count[at];
      }
      means.run_means.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
    }
  return means;
}

void count(ScoreCounts& counts, const ScoredPicture& picture) {
  ++counts.pictures;
  counts.scored.resize(picture.values.size());
  for (size_t f = 0; f < picture.values.size(); ++f) counts.scored[f] += !std::isnan(picture.values[f]);
}

/// Two pictures of one prompt and seed.
using PicturePair = std::pair<const ScoredPicture*, const ScoredPicture*>;

/// Pairs two sorted files; those without a partner go to `unmatched`.
std::vector<PicturePair> pair_up(const ScoreFile& ours, const ScoreFile& theirs,
                                 std::vector<std::pair<const ScoredPicture*, const ScoreFile*>>& unmatched) {
  std::vector<PicturePair> pairs;
  size_t i = 0, j = 0;
  while (i < ours.pictures.size() || j < theirs.pictures.size()) {
    const ScoredPicture* a = i < ours.pictures.size() ? &ours.pictures[i] : nullptr;
    const ScoredPicture* b = j < theirs.pictures.size() ? &theirs.pictures[j] : nullptr;
    const auto order = [](const ScoredPicture* p) { return std::tie(p->prompt, p->seed); };
    if (a && b && order(a) == order(b)) {
      pairs.emplace_back(a, b);
      ++i, ++j;
    } else if (!b || (a && order(a) < order(b))) {
      unmatched.emplace_back(a, &theirs);
      ++i;
    } else {
      unmatched.emplace_back(b, &ours);
      ++j;
    }
  }
  return pairs;
}

/// One pair's differences and wins into the table and the counts.
void add_pair(const PicturePair& pair, int64_t run, const PromptIndex& index, ClusterTable& table,
              ScoreComparison& result) {
  const size_t fields = result.fields.size(), category = index.category(*pair.first);
  const int64_t cluster = index.cluster(pair.first->prompt);
  for (size_t f = 0; f < fields; ++f) {
    const double a = pair.first->values[f], b = pair.second->values[f];
    if (std::isnan(a) || std::isnan(b)) continue;
    table.add(run, cluster, int64_t(2 * f), a - b);
    table.add(run, cluster, int64_t(2 * f + 1), a > b ? 1 : a == b ? 0.5 : 0);
    for (WinCounts* counts : {&result.all[f], &result.by_category[category * fields + f]})
      ++(a > b ? counts->wins : a == b ? counts->ties : counts->losses);
  }
}

}  // namespace

ScoreSummary summarize_scores(const std::vector<ScoreFile>& runs, const BootstrapOptions& options,
                              const RandomKey& key) {
  require<ValueError>(!runs.empty(), "scores: there must be a file");
  require_same_fields(runs, runs.front().fields);
  PromptIndex index;
  for (const ScoreFile& run : runs)
    for (const ScoredPicture& picture : run.pictures) index.add(picture, run);
  index.close();
  ScoreSummary summary{.fields = runs.front().fields, .categories = index.categories()};
  summary.by_category.resize(summary.categories.size());
  ClusterTable table = index.table(int64_t(runs.size()), int64_t(summary.fields.size()));
  for (size_t r = 0; r < runs.size(); ++r)
    for (const ScoredPicture& picture : runs[r].pictures) {
      count(summary.all, picture);
      count(summary.by_category[index.category(picture)], picture);
      for (size_t f = 0; f < picture.values.size(); ++f)
        if (!std::isnan(picture.values[f]))
          table.add(int64_t(r), index.cluster(picture.prompt), int64_t(f), picture.values[f]);
    }
  summary.all.prompts = table.clusters();
  for (int64_t stratum : table.stratum) ++summary.by_category[size_t(stratum)].prompts;
  summary.means = means_of(table, options, key);
  return summary;
}

ScoreComparison compare_scores(const std::vector<ScoreFile>& ours, const std::vector<ScoreFile>& theirs,
                               bool common_only, const BootstrapOptions& options, const RandomKey& key) {
  require<ValueError>(!ours.empty() && (theirs.size() == 1 || theirs.size() == ours.size()),
                      "scores: there must be one file to compare with, or one for each of ours ({} and {})",
                      theirs.size(), ours.size());
  require_same_fields(ours, ours.front().fields);
  require_same_fields(theirs, ours.front().fields);
  PromptIndex index;
  std::vector<std::vector<PicturePair>> pairs;
  std::vector<std::pair<const ScoredPicture*, const ScoreFile*>> unmatched;
  for (size_t r = 0; r < ours.size(); ++r) {
    const ScoreFile& other = theirs[theirs.size() == 1 ? 0 : r];
    pairs.push_back(pair_up(ours[r], other, unmatched));
    require<ValueError>(!pairs.back().empty(), "scores: files must have a prompt and seed in common ({} and {})",
                        ours[r].path, other.path);
    for (const PicturePair& pair : pairs.back()) index.add(*pair.first, ours[r]), index.add(*pair.second, other);
  }
  if (!common_only && !unmatched.empty())
    raise<ValueError>(
        "scores: prompts and seeds must be the same in both; {} pictures have no partner, the first (\"{}\", seed {}) "
        "is "
        "not in {}",
        unmatched.size(), unmatched.front().first->prompt, unmatched.front().first->seed,
        unmatched.front().second->path);
  index.close();
  ScoreComparison result{.fields = ours.front().fields, .categories = index.categories()};
  result.unmatched = int64_t(unmatched.size());
  result.all.resize(result.fields.size());
  result.by_category.resize(result.fields.size() * result.categories.size());
  ClusterTable table = index.table(int64_t(ours.size()), int64_t(2 * result.fields.size()));
  for (size_t r = 0; r < pairs.size(); ++r)
    for (const PicturePair& pair : pairs[r]) {
      ++result.pairs;
      add_pair(pair, int64_t(r), index, table, result);
    }
  result.means = means_of(table, options, key);
  return result;
}

}  // namespace plumb
