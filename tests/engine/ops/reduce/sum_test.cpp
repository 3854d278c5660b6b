#include "engine/ops/reduce/sum.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Element by element into a map from output number to total; nothing in common with the kernel's walks.
std::vector<double> naive_sum(const Tensor& x, DimMask mask) {
  const Shape kept = reduced_shape(x.shape(), mask, true);
  const Strides strides = contiguous_strides(kept);
  std::vector<double> totals(size_t(numel(kept)), 0.0);
  const std::vector<double> values = x.to_vector<double>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    int64_t rest = i, output = 0;
    for (int64_t d = x.rank() - 1; d >= 0; --d) {
      const int64_t index = rest % x.shape()[d];
      rest /= x.shape()[d];
      if (!(mask >> d & 1)) output += index * strides[d];
    }
    totals[size_t(output)] += values[size_t(i)];
  }
  return totals;
}

Dims dims_of(DimMask mask, int64_t rank) {
  Dims dims;
  for (int64_t d = 0; d < rank; ++d)
    if (mask >> d & 1) dims.push_back(d - rank);
  return dims;
}

}  // namespace

TEST_CASE("sum: known values over all, one and several dims, with and without keepdim") {
  const Tensor x = from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x).item() == 21);
  CHECK(sum(x, {0}).to_vector<double>() == std::vector<double>{5, 7, 9});
  CHECK(sum(x, {-1}).to_vector<double>() == std::vector<double>{6, 15});
  CHECK(sum(x, {1}, true).shape() == Shape{2, 1});
  CHECK(sum(x, {0, -1}, true).shape() == Shape{1, 1});
  CHECK(mean(x, {1}).to_vector<double>() == std::vector<double>{2, 5});
}

TEST_CASE("sum: every subset of dims agrees with a naive sum for every memory layout") {
  for (const Shape& shape : {Shape{3, 5, 2, 7}, Shape{1, 17, 1, 40}, Shape{20, 3, 33, 9}, Shape{2, 1200, 3, 1}}) {
    const Tensor x = random_tensor(shape);
    for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)})
      for (DimMask mask = 1; mask < 16; ++mask) {
        CAPTURE(mask);
        // k = 4: four roundings of 2^-53 a level of the tree, totals well below 1e3.
        CHECK(worst_error(sum(layout, dims_of(mask, 4)), naive_sum(x, mask)) <= 1e-12);
      }
  }
}

TEST_CASE("sum: expanded input counts each repeat") {
  const Tensor x = from_vector<float>({1, 2, 3}, {3}).view_as({4, 3}, {0, 1}, 0);
  CHECK(sum(x).item() == 24);
  CHECK(sum(x, {0}).to_vector<double>() == std::vector<double>{4, 8, 12});
  CHECK(sum(x, {1}).to_vector<double>() == std::vector<double>{6, 6, 6, 6});
}

TEST_CASE("sum: 0-d, size one and empty inputs") {
  CHECK(sum(scalar(3)).item() == 3);
  CHECK(sum(scalar(3), {0}).item() == 3);
  CHECK(sum(scalar(3), {-1}, true).shape() == Shape{});
  CHECK(sum(zeros({0})).item() == 0);
  CHECK(sum(zeros({3, 0}), {1}).to_vector<double>() == std::vector<double>{0, 0, 0});
  CHECK(sum(zeros({3, 0}), {0}).shape() == Shape{0});
  CHECK(std::isnan(mean(zeros({0})).item()));
}

TEST_CASE("sum: ten million tenths stay within 1e-6") {
  // Each float 0.1 is 0.1 * (1 + 1.5e-8); a running float sum would be off by several percent.
  const Tensor x = full({10000000}, 0.1);
  CHECK(std::abs(sum(x).item() / 1e6 - 1) <= 1e-6);
  CHECK(std::abs(mean(x).item() / 0.1 - 1) <= 1e-6);
  const Tensor columns = x.view_as({1000000, 10}, {10, 1}, 0);
  CHECK(worst_error(sum(columns, {0}), std::vector<double>(10, 1e5)) <= 1e-6);
}

TEST_CASE("sum: a few rows are added in order, in columns of every width") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (int64_t width = 1; width <= 131; ++width) {
      const Tensor x = random_tensor({5, width + 3}, uint64_t(width), dtype).view_as({5, width}, {width + 3, 1}, 2);
      Tensor total = x.view_as({width}, {1}, 2).clone();
      for (int64_t row = 1; row < 5; ++row) total.add_(x.view_as({width}, {1}, 2 + row * (width + 3)));
      CHECK(bits_of(sum(x, {0})) == bits_of(total));
    }
}

TEST_CASE("sum: integers and bool give i64 without overflow of the input type") {
  const Tensor bytes = full({1000}, 255, DType::u8);
  CHECK(sum(bytes).dtype() == DType::i64);
  CHECK(sum(bytes).item<int64_t>() == 255000);
  CHECK(sum(full({3, 4}, 1, DType::boolean), {1}).to_vector<int64_t>() == std::vector<int64_t>{4, 4, 4});
  CHECK(sum(full({5}, -7, DType::i32)).item<int64_t>() == -35);
}

TEST_CASE("sum: 16-bit floats are summed in float and rounded once") {
  for (DType dtype : {DType::bf16, DType::f16}) {
    // A running sum in either type would stop growing at 256 or 2048.
    CHECK(sum(full({4096}, 1, dtype)).item() == 4096);
    CHECK(sum(full({4096, 16}, 1, dtype), {0}).to_vector<double>() == std::vector<double>(16, 4096));
    CHECK(mean(full({4096}, 3, dtype)).item() == 3);
    CHECK(sum(ones({2}, dtype)).dtype() == dtype);
  }
}

TEST_CASE("sum_to: undoes broadcasting") {
  const Tensor x = random_tensor({4, 3, 5});
  CHECK(sum_to(x, {4, 3, 5}).is_same(x));
  CHECK(worst_error(sum_to(x, {5}), naive_sum(x, 3)) <= 1e-14);
  CHECK(worst_error(sum_to(x, {3, 1}), naive_sum(x, 5)) <= 1e-14);
  CHECK(worst_error(sum_to(x,
                           {
                               1,
                               1,
                               1,
                           }),
                    naive_sum(x, 7)) <= 1e-14);
  CHECK(sum_to(x, {}).shape() == Shape{});
  CHECK(sum_to(zeros({0, 3}), {1, 3}).to_vector<double>() == std::vector<double>{0, 0, 0});
  CHECK(sum_to(x.to(DType::bf16), {5}).dtype() == DType::bf16);
}

TEST_CASE("sum: the number of threads does not change the bits") {
  const Tensor x = random_tensor({700, 300}, 3, DType::f32);
  std::vector<std::string> seen;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::string bits;
    for (const Tensor& layout : {x, reversed_memory(x)})
      for (const Dims& dims : {Dims{}, Dims{0}, Dims{1}})
        bits += bits_of(sum(layout, dims)) + bits_of(mean(layout, dims));
    seen.push_back(bits);
    CHECK((seen.front() == bits));
  }
  set_num_threads(2);
}

TEST_CASE("sum: error texts") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { sum(x, {2}); }) == "sum: dim must be in [-2, 1] (2)");
  CHECK(message_of([&] { sum(x, {0, -2}); }) == "sum: a dim may be listed once ([0, -2]); f32[2, 3]");
  CHECK(message_of([&] { mean(zeros({2}, DType::i32)); }) == "mean: input must be floating; i32[2]");
  CHECK(message_of([&] { sum_to(x, {2}); }) == "sum_to: target must broadcast to the input's shape ([2]); f32[2, 3]");
}
