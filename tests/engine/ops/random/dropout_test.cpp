#include "engine/ops/random/dropout.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

const RandomKey kKey = RandomKey{.seed = 7}.fork("dropout");

}  // namespace

TEST_CASE("dropout: a share p is dropped, the rest scaled, within five deviations") {
  const int64_t count = 400000;
  for (const double p : {0.1, 0.5, 0.9}) {
    const std::vector<double> y = dropout(ones({4, count / 4}), p, kKey).to_vector<double>();
    int64_t dropped = 0, kept = 0, together = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      kept += y[i] == double(float(1 / (1 - p)));
      dropped += y[i] == 0;
      together += i > 0 && y[i] == 0 && y[i - 1] == 0;
    }
    CHECK(dropped + kept == count);
    const double n = double(count);
    CHECK(std::abs(double(dropped) - p * n) < 5 * std::sqrt(p * (1 - p) * n));
    // Neighbours are independent; pairs that share an element widen the spread by at most sqrt(3).
    CHECK(std::abs(double(together) - p * p * n) < 5 * std::sqrt(3 * p * p * (1 - p * p) * n));
  }
}

TEST_CASE("dropout: p = 0 is the input, p = 1 is zero, an element is x / (1 - p) or nothing") {
  const Tensor x = random_tensor({3, 5}, 1, DType::f32);
  CHECK(bits_of(dropout(x, 0, kKey)) == bits_of(x));
  CHECK(dropout(full({2, 3}, INFINITY), 1, kKey).to_vector<double>() == std::vector<double>(6, 0));
  CHECK(dropout(zeros({0, 3}), 0.5, kKey).shape() == Shape{0, 3});
}

TEST_CASE("dropout: what is dropped depends on key and place alone: not on layout, dtype, threads or batch") {
  const int before = num_threads();
  const Tensor x = random_tensor({6, 20011}, 1), y = dropout(x, 0.3, kKey);
  CHECK((bits_of(dropout(reversed_memory(x), 0.3, kKey)) == bits_of(y)));
  CHECK((bits_of(dropout(with_gaps(x), 0.3, kKey)) == bits_of(y)));
  const Tensor last = x.view_as({2, 20011}, {20011, 1}, 4 * 20011);
  CHECK((bits_of(dropout(last, 0.3, kKey.at_sample(4))) == bits_of(y.view_as({2, 20011}, {20011, 1}, 4 * 20011))));
  const auto zeros_of = [](const Tensor& t) { return bits_of(logical_not(t)); };
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16})
    CHECK((zeros_of(dropout(ones(x.shape(), dtype), 0.3, kKey)) == zeros_of(y)));
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    CHECK((bits_of(dropout(x, 0.3, kKey)) == bits_of(y)));
  }
  set_num_threads(before);
  CHECK(zeros_of(dropout(x, 0.3, kKey.at_step(1))) != zeros_of(y));
  CHECK(zeros_of(dropout(x, 0.3, kKey.fork("other"))) != zeros_of(y));
}

TEST_CASE("dropout: what it refuses") {
  CHECK(message_of([] { dropout(zeros({2}), 1.5, kKey); }) == "dropout: p must be from 0 to 1 (1.5); f32[2]");
  CHECK(message_of([] { dropout(zeros({2}), NAN, kKey); }) == "dropout: p must be from 0 to 1 (nan); f32[2]");
  CHECK(message_of([] { dropout(zeros({2}, DType::i64), 0.5, kKey); }) == "dropout: input must be floating; i64[2]");
}
