// What is asked of cuBLASLt for a product: here a triple loop takes its place and reads the very arguments.

#include "engine/cuda/product.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

int calls = 0;

double element(const ProductOperand& x, int64_t batch, int64_t row, int64_t column) {
  const int64_t at = batch * x.batch_stride + (x.transposed ? column * x.ld + row : row * x.ld + column);
  return static_cast<const double*>(x.data)[at];
}

}  // namespace

// wide: as it is declared
void matrix_product(const char*, const Cuda&, DType dtype, const ProductSize& size, const ProductOperand& a,
                    const ProductOperand& b, const void* bias, void* out) {
  REQUIRE(dtype == DType::f64);
  ++calls;
  for (int64_t batch = 0; batch < size.batch; ++batch)
    for (int64_t i = 0; i < size.m; ++i)
      for (int64_t j = 0; j < size.n; ++j) {
        double sum = bias ? static_cast<const double*>(bias)[j] : 0;
        for (int64_t k = 0; k < size.k; ++k) sum += element(a, batch, i, k) * element(b, batch, k, j);
        static_cast<double*>(out)[(batch * size.m + i) * size.n + j] = sum;
      }
}

namespace {

/// Whether the product is right, and in so many calls.
void check_matmul(const Tensor& a, const Tensor& b, const Shape& shape, int expected_calls) {
  Tensor expected = empty(shape, DType::f64), actual = empty(shape, DType::f64);
  matmul_kernel(Cpu{}, a, b, expected);
  calls = 0;
  matmul_kernel(Cuda{}, a, b, actual);
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= 1e-13);
  CHECK(calls == expected_calls);
}

}  // namespace

TEST_CASE("matmul on cuda: layouts, batches and broadcasts as cuBLASLt gets them") {
  const Tensor a = test::random_tensor({4, 3, 5, 7}, 1), b = test::random_tensor({4, 3, 7, 2}, 2);
  check_matmul(a, b, {4, 3, 5, 2}, 1);
  const Tensor turned = permute(test::random_tensor({4, 3, 2, 7}, 3), {0, 1, 3, 2});
  check_matmul(a, turned, {4, 3, 5, 2}, 1);
  check_matmul(permute(test::random_tensor({4, 3, 7, 5}, 3), {0, 1, 3, 2}), turned, {4, 3, 5, 2}, 1);
  check_matmul(a, test::random_tensor({7, 2}, 4), {4, 3, 5, 2}, 1);
  check_matmul(a, test::random_tensor({4, 1, 7, 2}, 5), {4, 3, 5, 2}, 12);
  check_matmul(a, test::random_tensor({3, 7, 2}, 6), {4, 3, 5, 2}, 12);
  check_matmul(slice(test::random_tensor({5, 9}, 7), 1, 1, 8), slice(test::random_tensor({9, 2}, 8), 0, 2, 9), {5, 2},
               1);
  check_matmul(test::random_tensor({1, 1}, 9), test::random_tensor({1, 1}, 10), {1, 1}, 1);
  Tensor integers = zeros({2, 2}, DType::i64);
  CHECK_THROWS_AS(matmul_kernel(Cuda{}, integers, integers, integers), DTypeError);
}

TEST_CASE("linear on cuda: weights and inputs of either order, bias, nothing to sum, and the bias's gradient") {
  const Tensor bias = test::random_tensor({3}, 4);
  for (const Tensor& x : {test::random_tensor({5, 7}, 1), test::reversed_memory(test::random_tensor({5, 7}, 1))})
    for (const Tensor& weight : {test::random_tensor({3, 7}, 2), test::reversed_memory(test::random_tensor({3, 7}, 2))})
      for (const Tensor& offset : {bias, Tensor()}) {
        Tensor expected = empty({5, 3}, DType::f64), actual = empty({5, 3}, DType::f64);
        linear_kernel(Cpu{}, {x, weight, offset}, {}, expected);
        linear_kernel(Cuda{}, {x, weight, offset}, {}, actual);
        CHECK(test::worst_error(actual, expected.to_vector<double>()) <= 1e-13);
      }
  Tensor nothing = empty({5, 3}, DType::f64);
  const Tensor no_input = zeros({5, 0}, DType::f64), no_weight = zeros({3, 0}, DType::f64);
  linear_kernel(Cuda{}, {no_input, no_weight, bias}, {}, nothing);
  for (int64_t i = 0; i < 15; ++i) CHECK(nothing.data<double>()[i] == bias.data<double>()[i % 3]);
  const Tensor grad = test::random_tensor({133, 3}, 5);
  Tensor expected = empty({3}, DType::f64), actual = empty({3}, DType::f64);
  column_sum_kernel(Cpu{}, grad, expected);
  column_sum_kernel(Cuda{}, grad, actual);
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= 1e-13);
}

}  // namespace plumb
