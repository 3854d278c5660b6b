#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "diffusion/eval/diversity.h"
#include "diffusion/eval/feature_distance.h"
#include "diffusion/eval/feature_set.h"
#include "diffusion/eval/inception_score.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("features: Fréchet, kernel distance, Vendi score and group diversity are those of NumPy") {
  const Golden golden("metrics");
  for (const Json& entry : golden.cases("features")) {
    CAPTURE(entry.at("case").as_string());
    const Tensor x = golden.tensor(entry, "x"), y = golden.tensor(entry, "y");
    const std::vector<double> expected = golden.tensor(entry, "expected").to_vector<double>();
    // Eigenvalues are good to D epsilon of the largest, and a root of one that small to 1e-7 of the largest root; there
    // are such when pictures are fewer than dimensions.
    const double close = x.size(0) > 2 * x.size(1) ? 1e-11 : 1e-6;
    CHECK(relative_error(frechet_distance(x, y), expected[0]) <= close);
    CHECK(relative_error(frechet_distance(y, x), expected[0]) <= close);
    CHECK(relative_error(frechet_distance(x.to(DType::f32), y.to(DType::f32)), expected[0]) <= 1e-5);
    const int64_t all = std::min(x.size(0), y.size(0));
    if (x.size(0) == y.size(0)) {  // one subset of everything
      const KernelDistance whole = kernel_distance(x, y, {.subsets = 3, .subset_size = 5000}, {.seed = 1});
      CHECK(relative_error(whole.mean, expected[1]) <= 1e-11);
      CHECK(whole.deviation <= 1e-11 * std::abs(expected[1]));
      CHECK(whole.subset_size == all);
    }
    CHECK(relative_error(vendi_score(x), expected[2]) <= 1e-9);
    const std::vector<int64_t> group = golden.tensor(entry, "group").to_vector<int64_t>();
    CHECK(relative_error(*group_diversity(x, group), expected[3]) <= 1e-12);
  }
}

TEST_CASE("features: a set is at distance 0 from itself, and moving it by m at distance |m|^2") {
  const Tensor x = random_tensor({40, 7}, 3), moved = x + full({7}, 0.5, DType::f64);
  CHECK(frechet_distance(x, x) <= 1e-12);
  CHECK(frechet_distance(x, moved) == doctest::Approx(7 * 0.25).epsilon(1e-10));
}

TEST_CASE("features: subsets of a kernel distance scatter around the distance of the whole sets") {
  const Golden golden("metrics");
  const Json entry = golden.cases("features")[3];
  const Tensor x = golden.tensor(entry, "x"), y = golden.tensor(entry, "y");
  const double expected = golden.tensor(entry, "expected").to_vector<double>()[1];
  const KernelDistance got = kernel_distance(x, y, {.subsets = 400, .subset_size = 30}, {.seed = 4});
  CHECK(got.deviation > 0);
  CHECK(std::abs(got.mean - expected) <= 5 * got.deviation / 20);  // 20: the root of 400
  CHECK(kernel_distance(x, y, {.subsets = 400, .subset_size = 30}, {.seed = 4}).mean == got.mean);
}

TEST_CASE("inception score: NumPy's, and its two ends") {
  const Golden golden("metrics");
  for (const Json& entry : golden.cases("inception")) {
    const InceptionScore got = inception_score(golden.tensor(entry, "logits"), entry.at("splits").as_integer());
    const std::vector<double> expected = golden.tensor(entry, "expected").to_vector<double>();
    CHECK(relative_error(got.mean, expected[0]) <= 1e-13);
    CHECK(std::abs(got.deviation - expected[1]) <= 1e-13);
  }
  Tensor sure = full({12, 3}, -2000, DType::f64);  // e^-2000 is 0
  for (int64_t i = 0; i < 12; ++i) sure.mutable_data<double>()[i * 3 + i % 3] = 0;
  CHECK(inception_score(sure, 2).mean == doctest::Approx(3));
  CHECK(inception_score(zeros({12, 3}), 4).mean == doctest::Approx(1));
  CHECK(message_of([&] { inception_score(sure, 13); }) == "inception_score: splits must be between 1 and 12 (13)");
}

TEST_CASE("diversity: equal pictures are one, orthogonal ones as many as they are") {
  CHECK(vendi_score(ones({5, 3})) == doctest::Approx(1));
  Tensor apart = zeros({4, 6}, DType::f64);
  for (int64_t i = 0; i < 4; ++i) apart.mutable_data<double>()[i * 6 + i] = double(i + 1);
  CHECK(vendi_score(apart) == doctest::Approx(4));
  CHECK(*group_diversity(apart, {0, 0, 1, 1}) == doctest::Approx(1));
  CHECK(*group_diversity(ones({4, 6}), {0, 0, 1, 2}) == doctest::Approx(0));
  CHECK_FALSE(group_diversity(apart, {0, 1, 2, 3}).has_value());
  CHECK(message_of([&] { group_diversity(apart, {0}); }) ==
        "group_diversity: there must be a group a row; 1 for f64[4, 6]");
  CHECK(message_of([] { vendi_score(zeros({2, 2})); }) == "vendi_score: a picture's features are all zero; f32[2, 2]");
}

TEST_CASE("features: rows are drawn without repeats") {
  const std::vector<int64_t> rows = draw_rows(50, 20, {.seed = 2}).to_vector<int64_t>();
  CHECK(std::set<int64_t>(rows.begin(), rows.end()).size() == 20);
  CHECK(rows != draw_rows(50, 20, {.seed = 3}).to_vector<int64_t>());
  CHECK(draw_rows(4, 0, {}).numel() == 0);
  CHECK(message_of([] { draw_rows(3, 4, {}); }) == "draw_rows: there must be 4 rows (3)");
}

TEST_CASE("features: refuses what is no set of features") {
  const Tensor good = random_tensor({4, 3});
  CHECK(message_of([&] {
          frechet_distance(good, random_tensor({4, 2}));
        }) == "frechet_distance: both sets must have as many features; f64[4, 3] and f64[4, 2]");
  CHECK(message_of([&] {
          frechet_distance(good, full({4, 3}, INFINITY));
        }) == "frechet_distance: features must be finite; f32[4, 3]");
  CHECK(message_of([&] {
          kernel_distance(good, random_tensor({1, 3}), {}, {});
        }) == "kernel_distance: each set must have two pictures (4 and 1)");
  CHECK(message_of([&] { kernel_distance(good, good, {.subset_size = 1}, {}); }) ==
        "kernel_distance: there must be a subset of two pictures (100 of 1)");
  CHECK(message_of([&] { vendi_score(good.to(DType::i64)); }) == "vendi_score: features must be floating; i64[4, 3]");
  CHECK(message_of([&] { vendi_score(zeros({3})); }) == "vendi_score: features must be [N, D]; f32[3]");
}
