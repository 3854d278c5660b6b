// The functions are the CPU's source and neither compiler contracts, so f32 results are compared bit by bit; the CPU's
// double functions are the C library's on both sides here.

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/ops/elementwise/geglu_kernels.h"
#include "engine/ops/layout/cat_kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/random/dropout_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;

/// With the values that functions treat on their own: zeros of both signs, huge, infinite, NaN.
Tensor hard_values(const Shape& shape, uint64_t seed, DType dtype) {
  Tensor x = test::random_tensor(shape, seed);
  double* data = x.mutable_data<double>();
  const double special[] = {0.0, -0.0, 3e7, -1e6, __builtin_inf(), -__builtin_inf(), __builtin_nan(""), 1, -1, 0.5};
  for (int64_t i = 0; i < 10 && i * 3 < x.numel(); ++i) data[i * 3] = special[(uint64_t(i) + seed) % 10];
  return x.to(dtype);
}

DType result_of(bool gives_bool, DType dtype) { return gives_bool ? DType::boolean : dtype; }

/// NaNs are alike whatever their bits.
bool same(const Tensor& actual, const Tensor& expected) {
  if (bits_of(actual) == bits_of(expected)) return true;
  const std::vector<double> a = actual.to_vector<double>(), b = expected.to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]))) return false;
  return true;
}

/// Calls check(layout) for dense, odd-sized, transposed and gapped operands.
template <class F>
void in_layouts(F&& check) {
  check([](const Tensor& x) { return x; });
  check([](const Tensor& x) { return test::reversed_memory(x); });
  check([](const Tensor& x) { return test::with_gaps(x); });
}

}  // namespace

TEST_CASE("elementwise on cuda: unary ops and derivatives have the CPU's bits") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64})
    for (int i = 0; i < kUnaryOps; ++i) {
      const UnaryOp op = UnaryOp(i);
      CAPTURE(name_of(op));
      CAPTURE(name_of(dtype));
      in_layouts([&](auto layout) {
        const Tensor x = layout(hard_values({3, 1, 5, 7}, 1, dtype));
        Tensor expected = zeros(x.shape(), result_of(gives_bool(op), dtype)), actual = zeros_like(expected);
        unary_kernel(Cpu{}, op, x, expected);
        unary_kernel(Cuda{}, op, x, actual);
        CHECK(same(actual, expected));
        if (gives_bool(op)) return;
        const Tensor grad = layout(test::random_tensor(x.shape(), 2, dtype));
        unary_backward_kernel(Cpu{}, op, grad, x, expected);
        unary_backward_kernel(Cuda{}, op, grad, x, actual);
        CHECK(same(actual, expected));
      });
    }
}

TEST_CASE("elementwise on cuda: integers and bool know the CPU's ops, and the others are refused") {
  for (DType dtype : {DType::i64, DType::i32, DType::u8, DType::boolean})
    for (int i = 0; i < kUnaryOps; ++i) {
      const UnaryOp op = UnaryOp(i);
      CAPTURE(name_of(op));
      const Tensor x = test::random_tensor({33}, 5).to(dtype);
      Tensor expected = zeros(x.shape(), result_of(gives_bool(op), dtype)), actual = zeros_like(expected);
      if (test::message_of([&] { unary_kernel(Cpu{}, op, x, expected); }).empty()) {
        unary_kernel(Cuda{}, op, x, actual);
        CHECK(bits_of(actual) == bits_of(expected));
      } else {
        CHECK_THROWS_AS(unary_kernel(Cuda{}, op, x, actual), DTypeError);
      }
    }
}

TEST_CASE("elementwise on cuda: binary ops, broadcast and with a number on either side") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f64, DType::i64})
    for (int i = 0; i < kBinaryOps; ++i) {
      const BinaryOp op = BinaryOp(i);
      if (dtype == DType::i64 && (op == BinaryOp::div || op == BinaryOp::pow)) continue;
      CAPTURE(name_of(op));
      CAPTURE(name_of(dtype));
      in_layouts([&](auto layout) {
        const auto values = [&](const Shape& shape, uint64_t seed) {
          return dtype == DType::i64 ? test::random_tensor(shape, seed).to(dtype) : hard_values(shape, seed, dtype);
        };
        const Tensor a = layout(values({3, 5, 7}, 1)), whole = values({3, 5, 7}, 4), row = values({7}, 2);
        Tensor expected = zeros(a.shape(), result_of(gives_bool(op), dtype)), actual = zeros_like(expected);
        for (const Tensor& b : {whole, row}) {
          binary_kernel(Cpu{}, op, a, b, expected);
          binary_kernel(Cuda{}, op, a, b, actual);
          CHECK(same(actual, expected));
        }
        for (const bool left : {false, true}) {
          binary_scalar_kernel(Cpu{}, op, a, 1.3, left, expected);
          binary_scalar_kernel(Cuda{}, op, a, 1.3, left, actual);
          CHECK(same(actual, expected));
        }
      });
    }
}

TEST_CASE("elementwise on cuda: ternary ops, with conditions and single numbers") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f64})
    for (int i = 0; i < kTernaryOps; ++i) {
      const TernaryOp op = TernaryOp(i);
      CAPTURE(i);
      in_layouts([&](auto layout) {
        const Tensor b = layout(hard_values({3, 5, 7}, 2, dtype)), c = hard_values({5, 7}, 3, dtype),
                     one = scalar(0.7, dtype);
        const Tensor a = op == TernaryOp::where ? test::random_tensor({3, 5, 7}).to(DType::boolean)
                                                : layout(hard_values({3, 5, 7}, 1, dtype));
        Tensor expected = zeros(b.shape(), dtype), actual = zeros_like(expected);
        for (const Tensor& last : {c, one}) {
          ternary_kernel(Cpu{}, op, a, b, last, expected);
          ternary_kernel(Cuda{}, op, a, b, last, actual);
          CHECK(same(actual, expected));
        }
      });
    }
}

TEST_CASE("elementwise on cuda: sizes around a pack, a block and a grid; channels last; unaligned starts") {
  for (int64_t count : {1, 3, 4, 5, 7, 8, 9, 1023, 1024, 1025, 40'000}) {
    for (DType dtype : {DType::f32, DType::bf16}) {
      const Tensor x = test::random_tensor({count + 1}, 1, dtype);
      for (const Tensor& part : {slice(x, 0, 0, count), slice(x, 0, 1, count + 1)}) {
        Tensor expected = zeros({count}, dtype), actual = zeros({count}, dtype);
        unary_kernel(Cpu{}, UnaryOp::silu, part, expected);
        unary_kernel(Cuda{}, UnaryOp::silu, part, actual);
        CHECK(bits_of(actual) == bits_of(expected));
      }
    }
  }
  const Tensor image = test::channels_last(test::random_tensor({2, 3, 5, 7}, 1, DType::f32));
  Tensor expected = empty_like(image), actual = empty_like(image), slope = empty({70}), expected_slope = empty({70});
  unary_kernel(Cpu{}, UnaryOp::gelu, image, expected);
  unary_kernel(Cuda{}, UnaryOp::gelu, image, actual);
  CHECK(bits_of(actual) == bits_of(expected));
  const Tensor x = test::random_tensor({70}, 1, DType::f32);
  expected = empty({70}), actual = empty({70});
  silu_with_derivative_kernel(Cpu{}, x, expected, expected_slope);
  silu_with_derivative_kernel(Cuda{}, x, actual, slope);
  CHECK(bits_of(actual) == bits_of(expected));
  CHECK(bits_of(slope) == bits_of(expected_slope));
}

TEST_CASE("geglu on cuda in packs: the CPU's bits in f32, its values in 16 bits, tails and extremes") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (const int64_t width : {8, 40}) {
      Tensor wide = mul(test::random_tensor({5, 2 * width}, 1), 4);
      double* b = wide.mutable_data<double>() + width;
      b[0] = 300;
      b[1] = -300;
      b[2] = 0;
      b[3] = -5.5;
      const Tensor x = wide.to(dtype), grad = test::random_tensor({5, width}, 2, dtype);
      Tensor y = empty({5, width}, dtype), expected = empty({5, width}, dtype), slope = empty(x.shape(), dtype),
             expected_slope = empty(x.shape(), dtype);
      geglu_kernel(Cpu{}, x, expected);
      geglu_kernel(Cuda{}, x, y);
      geglu_backward_kernel(Cpu{}, grad, x, expected_slope);
      geglu_backward_kernel(Cuda{}, grad, x, slope);
      if (dtype == DType::f32) {
        CHECK(test::bits_of(y) == test::bits_of(expected));
        CHECK(test::bits_of(slope) == test::bits_of(expected_slope));
      } else {
        CHECK(test::worst_error(y, expected.to_vector<double>()) <= 4e-3);
        CHECK(test::worst_error(slope, expected_slope.to_vector<double>()) <= 8e-3);
      }
    }
}

TEST_CASE("geglu, dropout and cat on cuda have the CPU's bits") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64}) {
    const Tensor x = test::random_tensor({5, 66}, 1, dtype), grad = test::random_tensor({5, 33}, 2, dtype);
    Tensor expected = zeros({5, 33}, dtype), actual = zeros({5, 33}, dtype), slope = zeros_like(x),
           same_slope = slope.clone();
    geglu_kernel(Cpu{}, x, expected);
    geglu_kernel(Cuda{}, x, actual);
    CHECK(bits_of(actual) == bits_of(expected));
    geglu_backward_kernel(Cpu{}, grad, x, slope);
    geglu_backward_kernel(Cuda{}, grad, x, same_slope);
    CHECK(bits_of(same_slope) == bits_of(slope));
    Tensor drawn = test::random_tensor({5, 33}, 3, DType::f32);
    dropout_kernel(Cpu{}, grad, drawn, 0.3, expected);
    dropout_kernel(Cuda{}, grad, drawn, 0.3, actual);
    CHECK(bits_of(actual) == bits_of(expected));
    for (int64_t dim : {0, 1}) {
      Tensor joined = zeros({9, 40}, dtype), same_joined = zeros({9, 40}, dtype);
      const Tensor part = dim == 0 ? test::random_tensor({3, 40}, 4, dtype) : test::random_tensor({9, 7}, 4, dtype);
      cat_kernel(Cpu{}, part, dim, 2, joined);
      cat_kernel(Cuda{}, part, dim, 2, same_joined);
      CHECK(bits_of(same_joined) == bits_of(joined));
    }
  }
}

}  // namespace plumb
