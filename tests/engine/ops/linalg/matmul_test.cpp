#include "engine/ops/linalg/matmul.h"

#include <doctest/doctest.h>

#include <limits>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/matmul_reference.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<double> expected_of(const Tensor& a, const Tensor& b) {
  return reference::matmul(a, b).to_vector<double>();
}

}  // namespace

TEST_CASE("matmul: known values") {
  const Tensor a = from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor b = from_vector<float>({1, 0, -1, 2, 0.5f, 1}, {3, 2});
  const Tensor y = matmul(a, b);
  CHECK(y.shape() == Shape{2, 2});
  CHECK(y.to_vector<double>() == std::vector<double>{0.5, 7, 2, 16});
}

TEST_CASE("matmul: vectors lose their dimension as in torch") {
  const Tensor v = from_vector<double>({1, 2, 3}, {3}), m = random_tensor({3, 4}, 2),
               batch = random_tensor({2, 5, 3}, 3);
  const Tensor dot = matmul(v, v);
  CHECK(dot.shape() == Shape{});
  CHECK(dot.item() == 14);
  CHECK(matmul(v, m).shape() == Shape{4});
  CHECK(worst_error(matmul(v, m), expected_of(reshape(v, {1, 3}), m)) < 1e-15);
  CHECK(matmul(batch, v).shape() == Shape{2, 5});
  CHECK(worst_error(matmul(batch, v), expected_of(batch, reshape(v, {3, 1}))) < 1e-15);
  CHECK(matmul(v, random_tensor({2, 3, 4}, 4)).shape() == Shape{2, 4});
}

TEST_CASE("matmul: every shape and broadcast agrees with the definition") {
  // Sizes around the tiles and vectors of BLAS, thin and single ones, batches that broadcast on either side.
  struct Case {
    Shape a, b;
  };
  for (const Case& c :
       {Case{{1, 1}, {1, 1}}, Case{{1, 7}, {7, 1}}, Case{{17, 1}, {1, 33}}, Case{{65, 31}, {31, 2}},
        Case{{300, 9}, {9, 5}}, Case{{4, 5, 6}, {6, 3}}, Case{{5, 6}, {4, 6, 3}}, Case{{4, 5, 6}, {4, 6, 3}},
        Case{{1, 5, 6}, {4, 6, 3}}, Case{{3, 1, 2, 4}, {5, 4, 3}}, Case{{2, 3, 2, 4}, {2, 1, 4, 5}}}) {
    const Tensor a = random_tensor(c.a, 5), b = random_tensor(c.b, 6);
    const std::vector<double> expected = expected_of(a, b);
    CAPTURE(a.shape().back());
    CHECK(worst_error(matmul(a, b), expected) < 1e-13);
    // Rounding error of a float sum grows with its length at worst; terms are below 4.
    const double tolerance = 4e-7 * double(c.a.back() + 1);
    CHECK(worst_error(matmul(a.to(DType::f32), b.to(DType::f32)), expected_of(a.to(DType::f32), b.to(DType::f32))) <
          tolerance);
  }
}

TEST_CASE("matmul: layouts do not change the result") {
  const Tensor a = random_tensor({3, 6, 5}, 7), b = random_tensor({3, 5, 4}, 8);
  const std::vector<double> expected = expected_of(a, b);
  const Tensor turned = transpose(transpose(b, 1, 2).contiguous(), 1, 2);
  for (const Tensor& left : {a, reversed_memory(a), with_gaps(a), transpose(transpose(a, 1, 2).contiguous(), 1, 2)})
    for (const Tensor& right : {b, turned, reversed_memory(b), with_gaps(b)})
      CHECK(worst_error(matmul(left, right), expected) < 1e-14);
  const Tensor row = random_tensor({1, 5}, 9);
  const Tensor repeated = expand(row, {6, 5});
  CHECK(worst_error(matmul(repeated, b), expected_of(repeated.contiguous(), b)) < 1e-14);
  const Tensor wide = random_tensor({6, 20}, 10);
  CHECK(worst_error(matmul(slice(wide, 1, 3, 8), b), expected_of(slice(wide, 1, 3, 8).contiguous(), b)) < 1e-14);
}

TEST_CASE("matmul: a transposed square matrix is not mistaken for itself") {
  const Tensor a = from_vector<float>({1, 2, 3, 4}, {2, 2});
  const Tensor unit = from_vector<float>({1, 0, 0, 1}, {2, 2});
  CHECK(matmul(transpose(a, 0, 1), unit).to_vector<double>() == std::vector<double>{1, 3, 2, 4});
  CHECK(matmul(unit, transpose(a, 0, 1)).to_vector<double>() == std::vector<double>{1, 3, 2, 4});
}

TEST_CASE("matmul: 16-bit floats are multiplied in float and rounded once") {
  for (DType dtype : {DType::bf16, DType::f16}) {
    const Tensor a = random_tensor({9, 40}, 11, dtype), b = random_tensor({40, 8}, 12, dtype);
    const Tensor y = matmul(a, b);
    CHECK(y.dtype() == dtype);
    CHECK(bits_of(y) == bits_of(matmul(a.to(DType::f32), b.to(DType::f32)).to(dtype)));
  }
}

TEST_CASE("matmul: integers are exact and wrap") {
  const Tensor a = from_vector<int64_t>({int64_t(1) << 40, 3, -2, 5}, {2, 2});
  const Tensor b = from_vector<int64_t>({1 << 20, 1, -1, 2}, {2, 2});
  CHECK(matmul(a, b).to_vector<int64_t>() ==
        std::vector<int64_t>{(int64_t(1) << 60) - 3, (int64_t(1) << 40) + 6, -(int64_t(1) << 21) - 5, 8});
  const Tensor bytes = from_vector<uint8_t>({200, 100}, {1, 2});
  CHECK(matmul(bytes, transpose(bytes, 0, 1)).to_vector<int64_t>() == std::vector<int64_t>{(40000 + 10000) % 256});
}

TEST_CASE("matmul: nothing to sum gives zeros, nothing to fill gives nothing") {
  CHECK(matmul(empty({2, 0}), empty({0, 3})).to_vector<double>() == std::vector<double>(6, 0));
  CHECK(matmul(empty({4, 2, 0}), empty({0, 3})).to_vector<double>() == std::vector<double>(24, 0));
  CHECK(matmul(empty({0}), empty({0})).item() == 0);
  CHECK(matmul(empty({0, 2}), ones({2, 3})).shape() == Shape{0, 3});
  CHECK(matmul(empty({0, 5, 2}), ones({2, 3})).shape() == Shape{0, 5, 3});
  CHECK(matmul(ones({4, 5, 2}), empty({2, 0})).shape() == Shape{4, 5, 0});
}

TEST_CASE("matmul: a NaN stays in its row and column") {
  Tensor a = ones({3, 4});
  a.mutable_data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> y = matmul(a, ones({4, 2})).to_vector<double>();
  for (size_t i = 0; i < 6; ++i) CHECK((y[i] != y[i]) == (i / 2 == 1));
}

TEST_CASE("matmul: errors name the operands") {
  CHECK_THROWS_WITH_AS(matmul(ones({2, 3}), ones({4, 5})),
                       "matmul: inner sizes must agree (3 and 4); f32[2, 3] and f32[4, 5]", ShapeError);
  CHECK_THROWS_WITH_AS(matmul(ones({2, 2, 3}), ones({3, 3, 5})), "matmul: shapes do not broadcast; [2] and [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(matmul(ones({}), ones({1})), "matmul: operands must have a dimension; f32[] and f32[1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(matmul(ones({1, 1}), ones({1, 1}, DType::f64)),
                       "matmul: operands must have one dtype; f32[1, 1] and f64[1, 1]", DTypeError);
  CHECK_THROWS_WITH_AS(matmul(ones({1, 1}, DType::boolean), ones({1, 1}, DType::boolean)),
                       "matmul: bool is not supported; bool[1, 1] and bool[1, 1]", DTypeError);
}

TEST_CASE("matmul: same bits for every number of threads") {
  const Tensor a = random_tensor({700, 300}, 13, DType::f32), b = random_tensor({300, 1100}, 14, DType::f32);
  const Tensor stack = random_tensor({24, 96, 64}, 15, DType::f32), other = random_tensor({24, 64, 80}, 16, DType::f32);
  const int before = num_threads();
  set_num_threads(1);
  const std::string single = bits_of(matmul(a, b)), batched = bits_of(matmul(stack, other));
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    CHECK(bits_of(matmul(a, b)) == single);
    CHECK(bits_of(matmul(stack, other)) == batched);
  }
  set_num_threads(before);
}
