#include "align/downgrade/random_image.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;

namespace {

/// Sum of (count - expected)^2 / expected over `kinds` equally likely outcomes.
template <class Key>
double chi_square(const std::map<Key, int>& counts, size_t kinds, double draws) {
  const double expected = draws / double(kinds);
  double sum = expected * double(kinds - counts.size());  // outcomes never seen
  for (const auto& [key, count] : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

/// Row i holds i everywhere.
Tensor numbered(int64_t count) {
  return mul(ones({count, 1, 2, 2}), reshape(arange(0, double(count)).to(DType::f32), {count, 1, 1, 1}));
}

}  // namespace

TEST_CASE("derangement: every one of them, equally often, and nothing else") {
  // Of 4 there are 9, of 3 there are 2. Bounds are the 99.9% points of chi-square with 8 and 1 degrees of freedom.
  for (const auto& [n, kinds, bound] : {std::tuple{4, 9, 26.1}, {3, 2, 10.8}}) {
    std::map<std::vector<int64_t>, int> counts;
    constexpr int kDraws = 9000;
    for (int i = 0; i < kDraws; ++i) {
      const auto order = derangement(RandomKey{.seed = uint64_t(i)}.fork("downgrade"), n);
      for (int64_t k = 0; k < n; ++k) CHECK(order[size_t(k)] != k);
      ++counts[order];
    }
    CHECK(counts.size() == size_t(kinds));
    CHECK(chi_square(counts, size_t(kinds), kDraws) < bound);
  }
  CHECK(derangement({.seed = 1}, 2) == std::vector<int64_t>{1, 0});
  CHECK(derangement({.seed = 1}, 0).empty());
  CHECK(message_of([] { derangement({.seed = 1}, 1); }) == "derangement: one element cannot change its place");
  CHECK(derangement({.seed = 1, .step = 1}, 50) != derangement({.seed = 1, .step = 2}, 50));
}

TEST_CASE("draw_others: every other index equally often, row by row") {
  const Tensor own = from_vector<int64_t>({0, 2, 4, 2}, {4});
  std::map<int64_t, int> counts;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const auto other = draw_others(own, 5, {.seed = uint64_t(i)}).to_vector<int64_t>();
    for (size_t k = 0; k < 4; ++k) {
      CHECK(other[k] != own.to_vector<int64_t>()[k]);
      CHECK((other[k] >= 0 && other[k] < 5));
    }
    ++counts[other[1]];
  }
  CHECK(counts.size() == 4);
  CHECK(chi_square(counts, 4, kDraws) < 16.3);  // 99.9% with 3 degrees of freedom
  const auto whole = draw_others(own, 5, {.seed = 3}).to_vector<int64_t>();
  const auto rest = draw_others(slice(own, 0, 2, 4), 5, {.seed = 3, .sample0 = 2}).to_vector<int64_t>();
  CHECK(rest == std::vector<int64_t>{whole[2], whole[3]});
  CHECK(draw_others(from_vector<int64_t>({1}, {1}), 2, {.seed = 3}).item<int64_t>() == 0);
  CHECK_THROWS_AS(draw_others(own, 1, {.seed = 3}), ValueError);
  CHECK_THROWS_AS(draw_others(own, 4, {.seed = 3}), IndexError);
}

TEST_CASE("random_image: another picture of the batch, all of them used") {
  const Tensor images = numbered(17);
  const Tensor losers = random_image(images, {.seed = 2});
  std::map<int, int> seen;
  for (int64_t i = 0; i < 17; ++i) {
    const Tensor row = slice(losers, 0, i, i + 1);
    const int value = int(row.to_vector<double>()[0]);
    CHECK(bits_of(row) == bits_of(slice(images, 0, value, value + 1)));
    CHECK(value != i);
    ++seen[value];
  }
  CHECK(seen.size() == 17);
}

TEST_CASE("random_image: with fixed points allowed it is any permutation, with one fixed point on average") {
  const Tensor images = numbered(6);
  int fixed = 0;
  constexpr int kDraws = 2000;
  for (int seed = 0; seed < kDraws; ++seed) {
    const auto values = random_image(images, {.seed = uint64_t(seed)}, true).to_vector<double>();
    for (size_t i = 0; i < 6; ++i) fixed += values[i * 4] == double(i);
  }
  // The number of fixed points has mean 1 and variance 1: four standard errors.
  CHECK(std::abs(fixed - kDraws) <= 4 * std::sqrt(kDraws));
}

TEST_CASE("random_image: a batch of one draws another picture from the data set") {
  const Tensor data = cat({numbered(4), slice(numbered(4), 0, 2, 3)}, 0);  // 0 1 2 3 2
  const Tensor own = slice(data, 0, 2, 3);
  std::map<double, int> counts;
  for (uint64_t seed = 0; seed < 1000; ++seed)
    ++counts[random_image(own, {.seed = seed}, false, data).to_vector<double>()[0]];
  CHECK(counts.size() == 3);
  CHECK(counts.count(2) == 0);
  CHECK(message_of([&] { random_image(own, {.seed = 1}); }) ==
        "random_image: a batch of one needs the data set to draw another picture from; f32[1, 1, 2, 2]");
  CHECK(message_of([&] {
          random_image(own, {.seed = 1}, false, cat({own, own}, 0));
        }) == "random_image: the data set holds no other picture (2 equal ones)");
  CHECK_THROWS_AS(random_image(own, {.seed = 1}, false, zeros({4, 3})), ValueError);
}
