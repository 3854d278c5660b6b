#include "engine/ops/softmax/softmax.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/ops/softmax/softmax_reference.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("softmax: agrees with the formula for every dim, layout and dtype") {
  for (const Shape& shape : {Shape{3, 4, 5}, Shape{1, 7, 1}, Shape{2, 130, 3}, Shape{3, 2, 2000}})
    for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Tensor x = random_tensor(shape, 5, dtype);
      // Rounding of the result, plus a few ulp of exp and of the sum in the accumulation type.
      const double tolerance = dtype == DType::f64   ? 1e-14
                               : dtype == DType::f32 ? 2e-6
                               : dtype == DType::f16 ? 6e-4
                                                     : 5e-3;
      for (int64_t dim = 0; dim < 3; ++dim) {
        const std::vector<double> shares = reference::softmax(x, dim).to_vector<double>();
        const std::vector<double> logs = reference::log_softmax(x, dim).to_vector<double>();
        for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)}) {
          CHECK(worst_error(softmax(layout, dim), shares) <= tolerance);
          CHECK(worst_error(log_softmax(layout, dim - 3), logs) <= tolerance);
        }
      }
    }
}

TEST_CASE("softmax: stable at 1e4 and with infinities") {
  const Tensor x = from_vector<float>({1e4f, 1e4f, -1e4f, -kInfinity}, {4});
  CHECK(softmax(x, 0).to_vector<double>() == std::vector<double>{0.5, 0.5, 0, 0});
  const std::vector<double> logs = log_softmax(x, 0).to_vector<double>();
  CHECK(std::abs(logs[0] + std::log(2)) <= 1e-7);
  CHECK(logs[2] == doctest::Approx(-20000 - std::log(2)));
  CHECK(logs[3] == -kInfinity);
  for (float bad : {kInfinity, std::nanf("")})
    for (double y : softmax(from_vector<float>({bad, 0, 1}, {3}), 0).to_vector<double>()) CHECK(std::isnan(y));
  for (double y : softmax(full({3}, -kInfinity), 0).to_vector<double>()) CHECK(std::isnan(y));
  for (double y : log_softmax(full({3}, -kInfinity), 0).to_vector<double>()) CHECK(std::isnan(y));
  // Far below the maximum the result underflows without disturbing the rest.
  CHECK(worst_error(softmax(from_vector<float>({0, -104, -90}, {3}), 0), {1, 0, 8.19e-40}) <= 1e-7);
}

TEST_CASE("softmax: 0-d, size one and empty inputs") {
  CHECK(softmax(scalar(7), 0).item() == 1);
  CHECK(log_softmax(scalar(7), -1).item() == 0);
  CHECK(softmax(ones({4, 1}), 1).to_vector<double>() == std::vector<double>(4, 1));
  CHECK(softmax(zeros({0, 3}), 1).shape() == Shape{0, 3});
  CHECK(softmax(zeros({3, 0}), 1).shape() == Shape{3, 0});
}

TEST_CASE("softmax: the number of threads does not change the bits") {
  const Tensor x = random_tensor({300, 517}, 3, DType::f32);
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::string bits = bits_of(softmax(x, 1)) + bits_of(softmax(x, 0)) + bits_of(log_softmax(x, 1));
    if (first.empty()) first = bits;
    CHECK((bits == first));
  }
  set_num_threads(2);
}

TEST_CASE("softmax: error texts") {
  CHECK(message_of([] { softmax(zeros({2}, DType::i64), 0); }) == "softmax: input must be floating; i64[2]");
  CHECK(message_of([] { log_softmax(zeros({2, 3}), -3); }) == "log_softmax: dim must be in [-2, 1] (-3)");
}
