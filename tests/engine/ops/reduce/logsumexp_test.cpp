#include "engine/ops/reduce/logsumexp.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("logsumexp: neither overflows nor underflows at 1e4, by rows and by columns") {
  const Tensor x = from_vector<float>({1e4f, 1e4f, -1e4f, -1e4f}, {2, 2});
  CHECK(worst_error(logsumexp(x, {1}), {1e4 + std::log(2), -1e4 + std::log(2)}) <= 1e-7);
  CHECK(logsumexp(x).item() == doctest::Approx(1e4 + std::log(2)));
  const Tensor columns = full({40, 16}, -1e4);
  CHECK(worst_error(logsumexp(columns, {0}), std::vector<double>(16, -1e4 + std::log(40))) <= 1e-7);
}

TEST_CASE("logsumexp: infinities and NaN as in torch, by rows and by columns") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  struct Special {
    std::vector<double> values;
    double expected;
  };
  for (const Special& test :
       {Special{{-infinity, -infinity}, -infinity}, Special{{infinity, 0}, infinity},
        Special{{infinity, infinity}, infinity}, Special{{infinity, -infinity}, infinity}, Special{{-infinity, 3}, 3},
        Special{{nan, 0}, nan}, Special{{0, nan}, nan}, Special{{nan, infinity}, nan}, Special{{infinity, nan}, nan},
        Special{{-infinity, nan}, nan}}) {
    const Tensor x = from_vector<double>(test.values, {2});
    CHECK(worst_error(logsumexp(x), {test.expected}) == 0);
    const Tensor columns = x.view_as({2, 16}, {1, 0}, 0).clone();
    CHECK(worst_error(logsumexp(columns, {0}), std::vector<double>(16, test.expected)) == 0);
  }
}
