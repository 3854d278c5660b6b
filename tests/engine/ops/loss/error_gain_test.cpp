#include "engine/ops/loss/error_gain.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Difference of the two errors in extended precision, and the sum of the magnitudes that cancel in it.
struct Naive {
  std::vector<double> gain;
  double magnitude = 0;
};

Naive naive_gain(const Tensor& pred, const Tensor& ref, const Tensor& target, bool mean) {
  const std::vector<double> p = pred.to_vector<double>(), r = ref.to_vector<double>(), t = target.to_vector<double>();
  const size_t rows = size_t(pred.size(0)), count = p.size() / rows;
  Naive naive;
  for (size_t n = 0; n < rows; ++n) {
    long double gain = 0, magnitude = 0;
    for (size_t i = n * count; i < (n + 1) * count; ++i) {
      const long double a = std::pow(static_cast<long double>(p[i]) - t[i], 2),
                        b = std::pow(static_cast<long double>(r[i]) - t[i], 2);
      gain += a - b;
      magnitude += std::abs(a - b);
    }
    const long double divisor = mean ? static_cast<long double>(count) : 1;
    naive.gain.push_back(double(gain / divisor));
    naive.magnitude = std::max(naive.magnitude, double(magnitude / divisor));
  }
  return naive;
}

double worst_difference(const Tensor& actual, const std::vector<double>& expected) {
  const std::vector<double> values = actual.to_vector<double>();
  double worst = values.size() == expected.size() ? 0 : HUGE_VAL;
  for (size_t i = 0; i < expected.size() && worst < HUGE_VAL; ++i) {
    const double error = std::abs(values[i] - expected[i]);
    worst = error <= worst ? worst : std::isnan(error) ? HUGE_VAL : error;
  }
  return worst;
}

}  // namespace

TEST_CASE("error_gain: known values of both reductions") {
  const Tensor p = from_vector<float>({1, 2, 3, 4}, {2, 2}), r = from_vector<float>({0, 0, 0, 4}, {2, 2}),
               t = from_vector<float>({1, 0, 0, 3}, {2, 2});
  CHECK(error_gain(p, r, t).to_vector<double>() == std::vector<double>{1.5, 4.5});
  CHECK(error_gain(p, r, t, Reduction::sum).to_vector<double>() == std::vector<double>{3, 9});
}

TEST_CASE("error_gain: agrees with the difference of errors for short and long rows, every layout and dtype") {
  for (const Shape& shape : {Shape{5}, Shape{7, 2}, Shape{3, 4, 33}, Shape{2, 40000}, Shape{300, 257}})
    for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Tensor p = random_tensor(shape, 1, dtype), r = random_tensor(shape, 2, dtype),
                   t = random_tensor(shape, 3, dtype);
      for (bool mean : {true, false}) {
        const Naive naive = naive_gain(p, r, t, mean);
        // A term has four roundings, relative to (|p-r| + 2|r-t|) |p-r|, here at most 16 times the typical |term|; the
        // tree of depth < 32 adds one a level.
        const double tolerance = 64 * naive.magnitude * (dtype == DType::f64 ? 0x1p-53 : 0x1p-24);
        const Reduction reduction = mean ? Reduction::mean : Reduction::sum;
        for (const Tensor& layout : {p, reversed_memory(p), with_gaps(p)}) {
          const Tensor gain = error_gain(layout, r, t, reduction);
          CHECK(worst_difference(gain, naive.gain) <= tolerance);
          CHECK(gain.dtype() == acc_dtype(dtype));
        }
      }
    }
}

TEST_CASE("error_gain: zero at the reference, NaN of any operand comes through") {
  const Tensor r = random_tensor({4, 100}, 2, DType::f32), t = random_tensor({4, 100}, 3, DType::f32);
  CHECK(error_gain(r, r, t).to_vector<double>() == std::vector<double>(4, 0.0));
  const Tensor nan = full({4, 100}, std::nan(""));
  for (const Tensor& gain : {error_gain(nan, r, t), error_gain(r, nan, t), error_gain(r, t, nan)})
    for (double g : gain.to_vector<double>()) CHECK(std::isnan(g));
}

TEST_CASE("error_gain: keeps its digits in float32 where the difference of errors has none") {
  const Tensor r = random_tensor({8, 3, 16}, 2, DType::f32), t = random_tensor({8, 3, 16}, 3, DType::f32),
               p = r + random_tensor({8, 3, 16}, 4, DType::f32) * 1e-6;
  const Naive naive = naive_gain(p, r, t, true);
  CHECK(worst_difference(error_gain(p, r, t), naive.gain) <= 4 * naive.magnitude * 0x1p-24);
}

TEST_CASE("error_gain: empty input") {
  CHECK(error_gain(zeros({0, 3}), zeros({0, 3}), zeros({0, 3})).shape() == Shape{0});
  const Tensor none = zeros({2, 0});
  CHECK(error_gain(none, none, none, Reduction::sum).to_vector<double>() == std::vector<double>{0, 0});
}

TEST_CASE("error_gain: the number of threads does not change the bits") {
  const Tensor p = random_tensor({3, 70001}, 1, DType::f32), r = random_tensor({3, 70001}, 2, DType::f32),
               t = random_tensor({3, 70001}, 3, DType::f32);
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::string bits = bits_of(error_gain(p, r, t));
    if (first.empty()) first = bits;
    CHECK(bits == first);
  }
  set_num_threads(2);
}

TEST_CASE("error_gain: error texts") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { error_gain(x, x, zeros({3})); }) ==
        "error_gain: pred and target must have the same shape; f32[2, 3] and f32[3]");
  CHECK(message_of([&] { error_gain(x, zeros({3}), x); }) ==
        "error_gain: pred and ref must have the same shape; f32[2, 3] and f32[3]");
  CHECK(message_of([&] {
          error_gain(x, zeros({2, 3}, DType::f64), x);
        }) == "error_gain: pred and ref must be floating and of one dtype; f32[2, 3] and f64[2, 3]");
  CHECK(message_of([&] { error_gain(scalar(1), scalar(1), scalar(1)); }) ==
        "error_gain: input must have a batch dimension; f32[]");
  CHECK(message_of([&] { error_gain(x, x, x, Reduction::none); }) ==
        "error_gain: reduction must be mean or sum (none); f32[2, 3]");
}
