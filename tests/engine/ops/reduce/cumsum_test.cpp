#include "engine/ops/reduce/cumsum.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("cumsum: known values along each dim, in every layout") {
  const Tensor x = from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)}) {
    CHECK(cumsum(layout, 1).to_vector<double>() == std::vector<double>{1, 3, 6, 4, 9, 15});
    CHECK(cumsum(layout, -2).to_vector<double>() == std::vector<double>{1, 2, 3, 5, 7, 9});
    CHECK(cumsum_backward(layout, 1).to_vector<double>() == std::vector<double>{6, 5, 3, 15, 11, 6});
  }
}

TEST_CASE("cumsum: dtypes, 0-d, size one and empty inputs") {
  CHECK(cumsum(full({300}, 255, DType::u8), 0).to_vector<int64_t>().back() == 76500);
  CHECK(cumsum(full({3}, 1, DType::boolean), 0).dtype() == DType::i64);
  CHECK(cumsum(full({300}, 1, DType::bf16), 0).to_vector<double>().back() == 300);
  CHECK(cumsum(scalar(4), 0).item() == 4);
  CHECK(cumsum(ones({4, 1}), 1).to_vector<double>() == std::vector<double>(4, 1));
  CHECK(cumsum(zeros({3, 0}), 1).shape() == Shape{3, 0});
  CHECK(message_of([] { cumsum(zeros({2}), 1); }) == "cumsum: dim must be in [-1, 0] (1)");
}

TEST_CASE("cumsum: a million tenths stay within an ulp") {
  const std::vector<double> y = cumsum(full({1000000}, 0.1), 0).to_vector<double>();
  CHECK(std::abs(y.back() / (1e6 * double(0.1f)) - 1) <= 0x1p-24);
}
