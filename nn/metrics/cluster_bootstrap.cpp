#include "nn/metrics/cluster_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Clusters of each stratum.
std::vector<std::vector<int64_t>> members_of(const ClusterTable& table) {
  std::vector<std::vector<int64_t>> members(size_t(table.strata()));
  for (int64_t c = 0; c < table.clusters(); ++c) members[size_t(table.stratum[size_t(c)])].push_back(c);
  return members;
}

/// Sums and counts by stratum and column, and the means they give.
class Totals {
 public:
  Totals(int64_t strata, int64_t columns)
      : strata_(strata), columns_(columns), sum_(size_t(strata * columns)), count_(sum_.size()) {}

  void clear() {
    std::fill(sum_.begin(), sum_.end(), 0);
    std::fill(count_.begin(), count_.end(), 0);
  }

  void add(const ClusterTable& table, int64_t run, int64_t cluster, double weight) {
    const size_t to = size_t(table.stratum[size_t(cluster)] * columns_);
    const size_t from = size_t((run * table.clusters() + cluster) * columns_);
    for (size_t k = 0; k < size_t(columns_); ++k) {
      sum_[to + k] += weight * table.sum[from + k];
      count_[to + k] += weight * table.count[from + k];
    }
  }

  /// [2 + strata, columns]: over all observations, the mean of strata, every stratum.
  void means(double* out) const {
    for (int64_t k = 0; k < columns_; ++k) {
      double sum = 0, count = 0, of_means = 0;
      int64_t present = 0;
      for (int64_t s = 0; s < strata_; ++s) {
        const size_t at = size_t(s * columns_ + k);
        const double mean = count_[at] > 0 ? sum_[at] / count_[at] : kNone;
        out[(2 + s) * columns_ + k] = mean;
        sum += sum_[at], count += count_[at];
        if (count_[at] > 0) of_means += mean, ++present;
      }
      out[k] = count > 0 ? sum / count : kNone;
      out[columns_ + k] = present > 0 ? of_means / double(present) : kNone;
    }
  }

 private:
  int64_t strata_, columns_;
  std::vector<double> sum_, count_;
};

/// Resamples begin to end.
struct Rows {
  int64_t begin, end;
};

/// Their means into out [resamples, width].
void resample(const ClusterTable& table, const std::vector<std::vector<int64_t>>& members, bool runs,
              const RandomKey& key, Rows which, double* out) {
  const int64_t begin = which.begin, rows = which.end - begin, strata = int64_t(members.size()),
                width = (2 + strata) * table.columns;
  std::vector<std::vector<int64_t>> draws;
  for (int64_t s = 0; s < strata; ++s) {
    const int64_t count = int64_t(members[size_t(s)].size());
    draws.push_back(
        randint(key.fork("clusters").at_step(uint64_t(s)).at_sample(uint64_t(begin)), 0, count, {rows, count})
            .to_vector<int64_t>());
  }
  const std::vector<int64_t> drawn_runs =
      runs
          ? randint(key.fork("runs").at_sample(uint64_t(begin)), 0, table.runs, {rows, table.runs}).to_vector<int64_t>()
          : std::vector<int64_t>();
  Totals totals(strata, table.columns);
  std::vector<double> weights(size_t(table.runs));
  for (int64_t row = 0; row < rows; ++row) {
    totals.clear();
    std::fill(weights.begin(), weights.end(), runs ? 0.0 : 1.0);
    if (runs)
      for (int64_t r = 0; r < table.runs; ++r) ++weights[size_t(drawn_runs[size_t(row * table.runs + r)])];
    for (size_t s = 0; s < members.size(); ++s) {
      const size_t count = members[s].size();
      for (size_t i = 0; i < count; ++i)
        for (int64_t r = 0; r < table.runs; ++r)
          if (weights[size_t(r)] > 0)
            totals.add(table, r, members[s][size_t(draws[s][size_t(row) * count + i])], weights[size_t(r)]);
    }
    totals.means(out + (begin + row) * width);
  }
}

void check(const ClusterTable& table, const BootstrapOptions& options) {
  const int64_t entries = table.runs * table.clusters() * table.columns;
  require<ValueError>(table.runs >= 1 && table.columns >= 1 && table.clusters() >= 1,
                      "bootstrap: there must be a run, a cluster and a column ({}, {} and {})", table.runs,
                      table.clusters(), table.columns);
  require<ValueError>(int64_t(table.sum.size()) == entries && int64_t(table.count.size()) == entries,
                      "bootstrap: there must be {} sums and counts ({} and {})", entries, table.sum.size(),
                      table.count.size());
  require<ValueError>(options.resamples >= 1, "bootstrap: resamples must be positive ({})", options.resamples);
  require<ValueError>(options.confidence > 0 && options.confidence < 1,
                      "bootstrap: confidence must be above 0 and below 1 ({})", options.confidence);
}

}  // namespace

int64_t ClusterTable::strata() const {
  return stratum.empty() ? 0 : *std::max_element(stratum.begin(), stratum.end()) + 1;
}

void ClusterTable::add(int64_t run, int64_t cluster, int64_t column, double value) {
  const size_t at = size_t((run * clusters() + cluster) * columns + column);
  sum[at] += value;
  ++count[at];
}

double quantile(std::vector<double> values, double q) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const double place = q * double(values.size() - 1);
  const size_t below = std::min(size_t(place), values.size() - 1), above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - double(below)) * (values[above] - values[below]);
}

BootstrapMeans bootstrap_means(const ClusterTable& table, const BootstrapOptions& options, const RandomKey& key) {
  check(table, options);
  const std::vector<std::vector<int64_t>> members = members_of(table);
  const int64_t strata = table.strata(), width = (2 + strata) * table.columns;
  for (const std::vector<int64_t>& stratum : members)
    require<ValueError>(!stratum.empty(), "bootstrap: every stratum must have a cluster ({} strata)", strata);
  Totals observed(strata, table.columns);
  for (int64_t r = 0; r < table.runs; ++r)
    for (int64_t c = 0; c < table.clusters(); ++c) observed.add(table, r, c, 1);
  std::vector<double> means(size_t(width), 0), resampled(size_t(width * options.resamples));
  observed.means(means.data());
  constexpr int64_t kResamplesATime = 64;
  parallel_for(options.resamples, kResamplesATime, [&](int64_t begin, int64_t end) {
    resample(table, members, options.resample_runs, key, {begin, end}, resampled.data());
  });
  const auto interval = [&](int64_t place, bool single) -> Interval {
    if (single) return {means[size_t(place)], kNone, kNone};
    std::vector<double> values;
    for (int64_t i = 0; i < options.resamples; ++i) values.push_back(resampled[size_t(i * width + place)]);
    const double tail = (1 - options.confidence) / 2;
    return {means[size_t(place)], quantile(values, tail), quantile(values, 1 - tail)};
  };
  BootstrapMeans result;
  for (int64_t k = 0; k < table.columns; ++k) {
    result.all.push_back(interval(k, table.clusters() < 2));
    result.mean_of_strata.push_back(interval(table.columns + k, table.clusters() < 2));
  }
  for (int64_t s = 0; s < strata; ++s)
    for (int64_t k = 0; k < table.columns; ++k)
      result.strata.push_back(interval((2 + s) * table.columns + k, members[size_t(s)].size() < 2));
  return result;
}

}  // namespace plumb
