#include "nn/metrics/cluster_bootstrap.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

ClusterTable table_of(const Golden& golden, const Json& entry) {
  return {.runs = entry.at("runs").as_integer(),
          .columns = 1,
          .stratum = golden.tensor(entry, "stratum").to_vector<int64_t>(),
          .sum = golden.tensor(entry, "sum").to_vector<double>(),
          .count = golden.tensor(entry, "count").to_vector<double>()};
}

/// The ends of a percentile interval from 15,000 resamples scatter by 0.013 to 0.02 of the bootstrap's deviation, which
/// is a quarter of the width; ours add 0.01. Five deviations of that are 0.03 of the width.
void check_interval(const Interval& got, const std::vector<double>& expected, size_t row) {
  CAPTURE(row);
  const double width = expected[3 * row + 2] - expected[3 * row + 1];
  CHECK(std::abs(got.mean - expected[3 * row]) <= 1e-12);
  CHECK(std::abs(got.low - expected[3 * row + 1]) <= 0.03 * width);
  CHECK(std::abs(got.high - expected[3 * row + 2]) <= 0.03 * width);
}

bool same(const Interval& a, const Interval& b) { return a.mean == b.mean && a.low == b.low && a.high == b.high; }

}  // namespace

TEST_CASE("quantile: numpy's, with NaN left out") {
  const Golden golden("metrics");
  for (const Json& entry : golden.cases("quantile")) {
    std::vector<double> values = golden.tensor(entry, "values").to_vector<double>();
    values.insert(values.begin(), kNaN);
    const std::vector<double> q = golden.tensor(entry, "q").to_vector<double>(),
                              expected = golden.tensor(entry, "expected").to_vector<double>();
    for (size_t i = 0; i < q.size(); ++i) CHECK(std::abs(quantile(values, q[i]) - expected[i]) <= 1e-14);
  }
  CHECK(std::isnan(quantile({kNaN}, 0.5)));
}

TEST_CASE("bootstrap: intervals are those of SciPy and of loops in NumPy; strata, runs") {
  const Golden golden("metrics");
  for (const Json& entry : golden.cases("bootstrap")) {
    CAPTURE(entry.at("case").as_string());
    const ClusterTable table = table_of(golden, entry);
    const Json* runs = entry.find("resample_runs");
    const BootstrapMeans got =
        bootstrap_means(table, {.resamples = 30000, .resample_runs = runs && runs->as_bool()}, {.seed = 3});
    check_interval(got.all[0], golden.tensor(entry, "all").to_vector<double>(), 0);
    check_interval(got.mean_of_strata[0], golden.tensor(entry, "mean_of_strata").to_vector<double>(), 0);
    if (table.strata() == 1) continue;
    const std::vector<double> strata = golden.tensor(entry, "strata").to_vector<double>();
    for (size_t s = 0; s < 3; ++s) check_interval(got.strata[s], strata, s);
  }
}

TEST_CASE("bootstrap: 95% intervals of a normal mean hold the truth in 95% of 600 experiments") {
  int held = 0;
  for (uint64_t experiment = 0; experiment < 600; ++experiment) {
    const std::vector<double> x = randn({.seed = 11, .sample0 = experiment}, {1, 60}, DType::f64).to_vector<double>();
    ClusterTable table{.stratum = std::vector<int64_t>(60, 0), .sum = x, .count = std::vector<double>(60, 1)};
    const Interval got = bootstrap_means(table, {.resamples = 400}, {.seed = experiment}).all[0];
    held += got.low <= 0 && 0 <= got.high;
  }
  // Of 600 at 0.94 (60 samples): 564, deviation 5.8.
  CHECK(held > 540);
  CHECK(held < 590);
}

TEST_CASE("bootstrap: a column of differences is paired; an empty entry has no weight; one cluster has no interval") {
  ClusterTable table{
      .columns = 4, .stratum = {0, 1, 1, 1}, .sum = std::vector<double>(16), .count = std::vector<double>(16)};
  for (int64_t c = 0; c < 4; ++c) {
    table.add(0, c, 0, 10.0 * double(c) + 1);
    table.add(0, c, 1, 10.0 * double(c));
    table.add(0, c, 2, 1);  // column 0 - column 1
  }
  const BootstrapMeans got = bootstrap_means(table, {.resamples = 200}, {});
  CHECK(same(got.all[2], {1, 1, 1}));
  CHECK(got.all[0].high - got.all[0].low > 5);
  CHECK(got.all[0].low - got.all[1].low == doctest::Approx(1));
  CHECK(std::isnan(got.all[3].mean));
  CHECK(std::isnan(got.all[3].low));
  CHECK(got.strata[0].mean == 1);
  CHECK(std::isnan(got.strata[0].low));
  CHECK(got.mean_of_strata[1].mean == 10);  // (0 + 20) / 2
}

TEST_CASE("bootstrap: the same for any number of threads, another for another seed") {
  const Golden golden("metrics");
  const ClusterTable table = table_of(golden, golden.cases("bootstrap")[3]);
  const BootstrapOptions options{.resamples = 999, .resample_runs = true};
  const int threads = num_threads();
  set_num_threads(1);
  const Interval one = bootstrap_means(table, options, {.seed = 1}).all[0];
  set_num_threads(3);
  const Interval three = bootstrap_means(table, options, {.seed = 1}).all[0];
  set_num_threads(threads);
  CHECK(same(one, three));
  CHECK_FALSE(same(one, bootstrap_means(table, options, {.seed = 2}).all[0]));
}

TEST_CASE("bootstrap: refuses what it cannot resample") {
  ClusterTable table{.stratum = {0, 2}, .sum = {1, 2}, .count = {1, 1}};
  CHECK(message_of([&] { bootstrap_means(table, {}, {}); }) ==
        "bootstrap: every stratum must have a cluster (3 strata)");
  table.stratum = {0, 0};
  CHECK(message_of([&] { bootstrap_means(table, {.resamples = 0}, {}); }) ==
        "bootstrap: resamples must be positive (0)");
  CHECK(message_of([&] { bootstrap_means(table, {.confidence = 1}, {}); }) ==
        "bootstrap: confidence must be above 0 and below 1 (1)");
  table.sum = {1};
  CHECK(message_of([&] { bootstrap_means(table, {}, {}); }) == "bootstrap: there must be 2 sums and counts (1 and 2)");
  CHECK(message_of([&] { bootstrap_means({}, {}, {}); }) ==
        "bootstrap: there must be a run, a cluster and a column (1, 0 and 1)");
}
