#include "engine/ops/reduce/extremum.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("max, min: known values in every dtype") {
  const Tensor x = from_vector<int64_t>({3, 1, 2, 1, 3, 0}, {2, 3});
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8}) {
    CHECK(max(x.to(dtype), {1}).to_vector<double>() == std::vector<double>{3, 3});
    CHECK(min(x.to(dtype), {0}).to_vector<double>() == std::vector<double>{1, 1, 0});
    CHECK(max(x.to(dtype)).dtype() == dtype);
    CHECK(argmax(x.to(dtype), 1).to_vector<int64_t>() == std::vector<int64_t>{0, 1});
  }
  CHECK(max(x.to(DType::boolean)).item() == 1);
  CHECK(min(x.to(DType::boolean)).item() == 0);
}

TEST_CASE("max, min, argmax, argmin: a NaN wins wherever it stands") {
  for (int64_t n : {1, 3, 16, 70, 5000})
    for (int64_t at : {int64_t(0), n / 2, n - 1}) {
      Tensor x = random_tensor({n, 9}, 1, DType::f32);
      for (int64_t j = 0; j < 9; j += 2) x.mutable_data<float>()[at * 9 + j] = std::nanf("");
      for (const Tensor& layout : {x, reversed_memory(x)}) {
        const std::vector<double> most = max(layout, {0}).to_vector<double>(),
                                  least = min(layout, {0}).to_vector<double>();
        const std::vector<int64_t> place = argmax(layout, 0).to_vector<int64_t>();
        for (size_t j = 0; j < 9; ++j) {
          CHECK(std::isnan(most[j]) == (j % 2 == 0));
          CHECK(std::isnan(least[j]) == (j % 2 == 0));
          if (j % 2 == 0) CHECK(place[j] == at);
        }
        CHECK(argmin(layout).item<int64_t>() == at * 9);
      }
    }
}

TEST_CASE("max, min: infinities are ordinary extremes") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(max(full({5}, -infinity)).item() == -infinity);
  CHECK(min(full({70}, infinity)).item() == infinity);
  CHECK(argmax(full({70}, -infinity)).item() == 0);
}

TEST_CASE("argmax, argmin: the first of equal extremes, counted in row-major order whatever the memory order") {
  const Tensor x = from_vector<float>({0, 5, 5, 1, 5, 0, 0, 0, 5}, {3, 3});
  for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)}) {
    CHECK(argmax(layout).item<int64_t>() == 1);
    CHECK(argmin(layout).item<int64_t>() == 0);
    CHECK(argmax(layout, 0).to_vector<int64_t>() == std::vector<int64_t>{1, 0, 0});
    CHECK(argmax(layout, -1, true).to_vector<int64_t>() == std::vector<int64_t>{1, 1, 2});
    CHECK(argmax(layout, -1, true).shape() == Shape{3, 1});
    CHECK(argmin(layout, 1).to_vector<int64_t>() == std::vector<int64_t>{0, 2, 0});
  }
  CHECK(argmax(scalar(3)).item<int64_t>() == 0);
  CHECK(argmax(scalar(3), 0).shape() == Shape{});
}

TEST_CASE("argmax: long inputs, across blocks and threads") {
  Tensor x = random_tensor({3, 100000}, 1, DType::f32);
  x.mutable_data<float>()[77777] = x.mutable_data<float>()[150000] = x.mutable_data<float>()[299999] = 9;
  x.mutable_data<float>()[77778] = 9;
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Tensor& layout : {x, reversed_memory(x)}) {
      CHECK(argmax(layout).item<int64_t>() == 77777);
      CHECK(argmax(layout, 1).to_vector<int64_t>() == std::vector<int64_t>{77777, 50000, 99999});
    }
  }
  set_num_threads(2);
}
