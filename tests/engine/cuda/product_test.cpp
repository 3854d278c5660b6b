// What is asked of cuBLASLt for a product: here the emulator's loops take its place and read the very arguments.

#include "tests/support/cuda_emulator/product.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

/// Whether the product is right, and in so many calls.
void check_matmul(const Tensor& a, const Tensor& b, const Shape& shape, int expected_calls) {
  Tensor expected = empty(shape, DType::f64), actual = empty(shape, DType::f64);
  matmul_kernel(Cpu{}, a, b, expected);
  const int before = emulator::product_calls();
  matmul_kernel(Cuda{}, a, b, actual);
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= 1e-13);
  CHECK(emulator::product_calls() - before == expected_calls);
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

TEST_CASE("products on cuda: 16-bit operands as they are, results of their type or f32") {
  for (DType dtype : {DType::bf16, DType::f16, DType::f32}) {
    const Tensor a = test::random_tensor({2, 5, 7}, 1, dtype), b = test::random_tensor({7, 3}, 2, dtype);
    Tensor expected = empty({2, 5, 3}, DType::f64);
    matmul_kernel(Cpu{}, a.to(DType::f64), b.to(DType::f64), expected);
    for (DType out : {dtype, DType::f32}) {
      Tensor actual = empty({2, 5, 3}, out);
      matmul_kernel(Cuda{}, a, b, actual);
      CHECK(test::worst_error(actual, expected.to_vector<double>()) <= (size_of(out) == 2 ? 4e-3 : 1e-6));
    }
  }
}

TEST_CASE(
    "linear_act on cuda: every activation and type, in the product's epilogue or behind it, with its derivative") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16})
    for (const FusedActivation activation : {FusedActivation::none, FusedActivation::relu, FusedActivation::silu,
                                             FusedActivation::gelu, FusedActivation::gelu_tanh})
      for (const bool biased : {false, true})
        for (const int64_t width : {3, 16}) {
          const Tensor x = test::random_tensor({9, 6}, 1, dtype), weight = test::random_tensor({width, 6}, 2, dtype),
                       bias = biased ? test::random_tensor({width}, 3, dtype) : Tensor();
          const auto wide = [](const Tensor& t) { return t.defined() ? t.to(DType::f64) : t; };
          Tensor expected = empty({9, width}, DType::f64), slope = empty({9, width}, DType::f64),
                 actual = empty({9, width}, dtype), actual_slope = empty({9, width}, dtype);
          const bool smooth = activation != FusedActivation::none && activation != FusedActivation::relu;
          const Tensor wide_x = wide(x), wide_weight = wide(weight), wide_bias = wide(bias);
          linear_kernel(Cpu{}, {wide_x, wide_weight, wide_bias}, {activation, smooth ? &slope : nullptr}, expected);
          const double allowed = dtype == DType::f64 ? 1e-13 : dtype == DType::f32 ? 2e-6 : 2e-2;
          linear_kernel(Cuda{}, {x, weight, bias}, {activation}, actual);
          CHECK(test::worst_error(actual, expected.to_vector<double>()) <= allowed);
          CHECK((emulator::last_product_epilogue().activation == activation) == product_knows(activation, dtype));
          if (!smooth) continue;
          linear_kernel(Cuda{}, {x, weight, bias}, {activation, &actual_slope}, actual);
          CHECK(emulator::last_product_epilogue().activation == FusedActivation::none);
          CHECK(test::worst_error(actual, expected.to_vector<double>()) <= allowed);
          CHECK(test::worst_error(actual_slope, slope.to_vector<double>()) <= allowed);
        }
}

TEST_CASE("linear_act on cuda: gradient times derivative and its column sums, few and many rows") {
  for (const auto& [rows, width] : {std::pair<int64_t, int64_t>{1, 1}, {5, 33}, {260, 40}, {700, 3}})
    for (DType dtype : {DType::f32, DType::f64}) {
      const Tensor grad = test::random_tensor({rows, width}, 1, dtype),
                   factor = test::random_tensor({rows, width}, 2, dtype);
      Tensor expected = empty({rows, width}, dtype), expected_sum = empty({width}, dtype);
      scale_and_column_sum_kernel(Cpu{}, grad, factor, expected, expected_sum);
      const auto check = [&, width = width] {
        Tensor actual = grad.clone(), sum = empty({width}, dtype);
        scale_and_column_sum_kernel(Cuda{}, actual, factor, actual, sum);  // in place
        CHECK(test::bits_of(actual) == test::bits_of(expected));
        CHECK(test::worst_error(sum, expected_sum.to_vector<double>()) <= (dtype == DType::f32 ? 2e-5 : 1e-13));
      };
      dtype == DType::f32 ? test::in_both_orders(check) : check();
    }
}

}  // namespace plumb
