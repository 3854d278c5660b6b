#pragma once

#include <cstdint>
#include <vector>

#include "engine/random/random_key.h"

namespace plumb {

/// What was measured, gathered by cluster: observations that hang together (the pictures of one prompt) are resampled
/// together, and a stratum (a category of prompts) keeps its number of clusters in every resample. Entry
/// (r, c, k) = run r (a training seed, say), cluster c, column k, holds the sum of the observations and their number.
struct ClusterTable {
  int64_t runs = 1, columns = 1;
  std::vector<int64_t> stratum = {};         ///< [clusters], numbered from 0 without gaps
  std::vector<double> sum = {}, count = {};  ///< [runs, clusters, columns]

  int64_t clusters() const { return int64_t(stratum.size()); }
  /// The largest stratum + 1.
  int64_t strata() const;
  /// Adds one observation.
  void add(int64_t run, int64_t cluster, int64_t column, double value);
};

/// A mean and the percentile interval around it. All NaN without observations; no interval with a single cluster.
struct Interval {
  double mean, low, high;
};

struct BootstrapOptions {
  int64_t resamples = 10000;
  double confidence = 0.95;
  bool resample_runs = false;  ///< draws runs with replacement, too; else the runs are taken as given
};

/// Means with their intervals, a column each.
struct BootstrapMeans {
  std::vector<Interval> all;             ///< [columns], over all observations
  std::vector<Interval> mean_of_strata;  ///< [columns], every stratum with the same weight
  std::vector<Interval> strata;          ///< [strata, columns]
};

/// The percentile bootstrap of ratios of sums, clusters drawn with replacement within their stratum.
///                                          [Efron 1979; of clusters: Davison and Hinkley 1997, section 3.8]
/// Two columns of one resample see the same clusters, so the interval of a difference is that of a column of
/// differences. The result is a function of table, options and key, not of the number of threads.
/// Throws ValueError for a table whose sizes disagree, resamples < 1, or a confidence outside (0, 1).
BootstrapMeans bootstrap_means(const ClusterTable& table, const BootstrapOptions& options, const RandomKey& key);

/// The q-th quantile, 0 <= q <= 1, by linear interpolation between order statistics (numpy's default). Values that are
/// NaN are left out; NaN when none are left.
double quantile(std::vector<double> values, double q);

}  // namespace plumb
