#include "apps/common/epoch_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "engine/error.h"

using namespace plumb;

namespace {

std::vector<int64_t> rows(EpochOrder& order, int64_t first, int64_t last) {
  std::vector<int64_t> all;
  for (int64_t step = first; step < last; ++step)
    for (const int64_t row : order.at(step).to_vector<int64_t>()) all.push_back(row);
  return all;
}

}  // namespace

TEST_CASE("epoch order: every epoch holds every row once, in another order") {
  for (const int64_t batch : {1, 3, 7, 10, 25}) {
    EpochOrder order(10, batch, RandomKey{.seed = 3});
    const std::vector<int64_t> all = rows(order, 0, 50);
    std::vector<int64_t> first(all.begin(), all.begin() + 10), second(all.begin() + 10, all.begin() + 20), sorted(10);
    std::iota(sorted.begin(), sorted.end(), 0);
    CHECK(first != second);
    CHECK(first != sorted);
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    CHECK(first == sorted);
    CHECK(second == sorted);
  }
}

TEST_CASE("epoch order: a step is the same however it is come to") {
  EpochOrder whole(7, 3, RandomKey{.seed = 1}), jumping(7, 3, RandomKey{.seed = 1}), other(7, 3, RandomKey{.seed = 2});
  const std::vector<int64_t> all = rows(whole, 0, 20);
  for (const int64_t step : {13, 2, 19, 0, 7}) {
    const std::vector<int64_t> now = jumping.at(step).to_vector<int64_t>();
    CHECK(std::equal(now.begin(), now.end(), all.begin() + step * 3));
  }
  CHECK(rows(other, 0, 20) != all);
  CHECK(rows(whole, 0, 20) == all);
}

TEST_CASE("epoch order: one row, and none") {
  EpochOrder one(1, 4, RandomKey{});
  CHECK(one.at(5).to_vector<int64_t>() == std::vector<int64_t>{0, 0, 0, 0});
  CHECK_THROWS_AS(EpochOrder(0, 1, RandomKey{}), ValueError);
  CHECK_THROWS_AS(EpochOrder(1, 0, RandomKey{}), ValueError);
}
