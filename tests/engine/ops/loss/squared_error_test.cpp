#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/loss/sample_error.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<double> naive_errors(const Tensor& p, const Tensor& t, int64_t rows, bool mean) {
  const std::vector<double> a = p.to_vector<double>(), b = t.to_vector<double>();
  const size_t count = a.size() / size_t(rows);
  std::vector<double> errors;
  for (size_t r = 0; r < size_t(rows); ++r) {
    long double total = 0;
    for (size_t i = r * count; i < (r + 1) * count; ++i) total += std::pow(static_cast<long double>(a[i]) - b[i], 2);
    errors.push_back(double(mean ? total / count : total));
  }
  return errors;
}

}  // namespace

TEST_CASE("mse: known values of every reduction") {
  const Tensor p = from_vector<float>({1, 2, 3, 4}, {2, 2}), t = from_vector<float>({1, 0, 0, 3}, {2, 2});
  CHECK(mse(p, t).item() == 3.5);
  CHECK(mse(p, t, Reduction::sum).item() == 14);
  CHECK(mse(p, t, Reduction::none).to_vector<double>() == std::vector<double>{0, 4, 9, 1});
  CHECK(sample_error(p, t).to_vector<double>() == std::vector<double>{2, 5});
  CHECK(sample_error(p, t, Reduction::sum).to_vector<double>() == std::vector<double>{4, 10});
}

TEST_CASE("mse, sample_error: agree with a naive sum for short and long rows, every layout and dtype") {
  for (const Shape& shape : {Shape{5}, Shape{7, 2}, Shape{3, 4, 33}, Shape{2, 40000}, Shape{300, 257}})
    for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Tensor p = random_tensor(shape, 1, dtype), t = random_tensor(shape, 2, dtype);
      const std::vector<double> rows = naive_errors(p, t, shape[0], true), all = naive_errors(p, t, 1, true);
      // Sums of like-signed terms in a tree of depth < 32: at most 32 roundings of the accumulation type.
      const double tolerance = dtype == DType::f64 ? 32 * 0x1p-53 : 32 * 0x1p-24;
      for (const Tensor& layout : {p, reversed_memory(p), with_gaps(p)}) {
        CHECK(worst_error(sample_error(layout, t), rows) <= tolerance);
        CHECK(worst_error(mse(layout, t), all) <= tolerance);
        CHECK(mse(layout, t).dtype() == acc_dtype(dtype));
        CHECK(mse(layout, t, Reduction::none).dtype() == dtype);
      }
    }
}

TEST_CASE("mse, sample_error: empty inputs as in torch") {
  CHECK(std::isnan(mse(zeros({0}), zeros({0})).item()));
  CHECK(mse(zeros({0}), zeros({0}), Reduction::sum).item() == 0);
  CHECK(sample_error(zeros({0, 3}), zeros({0, 3})).shape() == Shape{0});
  CHECK(sample_error(zeros({2, 0}), zeros({2, 0}), Reduction::sum).to_vector<double>() == std::vector<double>{0, 0});
  CHECK(std::isnan(sample_error(zeros({1, 0}), zeros({1, 0})).item()));
}

TEST_CASE("mse, sample_error: the number of threads does not change the bits") {
  const Tensor p = random_tensor({3, 70001}, 1, DType::f32), t = random_tensor({3, 70001}, 2, DType::f32);
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::string bits = bits_of(mse(p, t)) + bits_of(sample_error(p, t));
    if (first.empty()) first = bits;
    CHECK((bits == first));
  }
  set_num_threads(2);
}

TEST_CASE("mse, sample_error: error texts") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { mse(x, zeros({3})); }) ==
        "mse: pred and target must have the same shape; f32[2, 3] and f32[3]");
  CHECK(message_of([&] {
          sample_error(x, zeros({2, 3}, DType::f64));
        }) == "sample_error: pred and target must be floating and of one dtype; f32[2, 3] and f64[2, 3]");
  CHECK(message_of([&] { sample_error(scalar(1), scalar(1)); }) ==
        "sample_error: input must have a batch dimension; f32[]");
  CHECK(message_of([&] { sample_error(x, x, Reduction::none); }) ==
        "sample_error: reduction must be mean or sum (none); f32[2, 3]");
}
