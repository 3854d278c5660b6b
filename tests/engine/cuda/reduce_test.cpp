#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/reduce/sum_kernels.h"
#include "engine/ops/softmax/softmax_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::worst_error;

// Sums of n floats in another order differ by less than n eps; storage in 16 bits rounds once.
double tolerance(DType dtype, int64_t length) {
  if (dtype == DType::f64) return 1e-15 * double(length);
  return dtype == DType::f32 ? 6e-8 * double(length) + 1e-6 : 8e-3;
}

/// f32 in every layout and both orders of the threads; the other types once: emulated barriers are slow.
template <class F>
void in_layouts(const Shape& shape, F&& check) {
  const Tensor x = test::random_tensor(shape, 1, DType::f32);
  test::in_both_orders([&] {
    for (const Tensor& each : {x, test::reversed_memory(x), test::with_gaps(x)}) check(each, DType::f32);
  });
  for (DType dtype : {DType::f64, DType::bf16, DType::f16}) check(test::reversed_memory(x.to(dtype)), dtype);
}

}  // namespace

TEST_CASE("sum and mean on cuda: any dimensions, layouts and types") {
  in_layouts({2, 5, 2, 35}, [&](const Tensor& x, DType dtype) {
    for (DimMask mask : {1u, 3u, 6u, 8u, 10u, 12u, 15u}) {
      CAPTURE(mask);
      const ReductionLayout layout = reduction_layout(x, mask);
      Tensor expected = empty({layout.outputs}, dtype), actual = empty({layout.outputs}, dtype);
      for (const bool mean : {false, true}) {
        mean ? mean_kernel(Cpu{}, x, layout, expected) : sum_kernel(Cpu{}, x, layout, expected);
        mean ? mean_kernel(Cuda{}, x, layout, actual) : sum_kernel(Cuda{}, x, layout, actual);
        CHECK(worst_error(actual, expected.to_vector<double>()) <= tolerance(dtype, 40));
      }
    }
  });
}

TEST_CASE("sum on cuda: integers, single elements, nothing, and sums longer than a chunk") {
  for (DType dtype : {DType::i64, DType::u8, DType::boolean}) {
    const Tensor x = test::random_tensor({7, 33}).to(dtype);
    Tensor expected = empty({7}, DType::i64), actual = empty({7}, DType::i64);
    sum_kernel(Cpu{}, x, reduction_layout(x, 2), expected);
    sum_kernel(Cuda{}, x, reduction_layout(x, 2), actual);
    CHECK(test::bits_of(actual) == test::bits_of(expected));
  }
  for (const Shape& shape : {Shape{1}, Shape{3, 0}, Shape{0, 3}, Shape{40'000}, Shape{2, 16'385}, Shape{4'500, 33}}) {
    const Tensor x = test::random_tensor(shape);
    for (DimMask mask = 1; mask < (DimMask(1) << shape.rank()); ++mask) {
      if (shape == Shape{4'500, 33} && mask == 2) continue;  // the walk is covered; slow to emulate
      const ReductionLayout layout = reduction_layout(x, mask);
      Tensor expected = empty({layout.outputs}, DType::f64), actual = empty({layout.outputs}, DType::f64);
      sum_kernel(Cpu{}, x, layout, expected);
      sum_kernel(Cuda{}, x, layout, actual);
      CHECK(worst_error(actual, expected.to_vector<double>()) <= 1e-11);
    }
  }
}

TEST_CASE("softmax and log_softmax on cuda, forward and backward: any dimension, layout and type") {
  in_layouts({2, 3, 1, 70}, [&](const Tensor& x, DType dtype) {
    const Tensor grad = test::reversed_memory(test::random_tensor(x.shape(), 2, dtype));
    for (int64_t dim = 0; dim < 4; ++dim) {
      CAPTURE(dim);
      Tensor expected = empty(x.shape(), dtype), actual = empty(x.shape(), dtype), slope = empty(x.shape(), dtype),
             expected_slope = empty(x.shape(), dtype);
      const auto check = [&] {
        CHECK(worst_error(actual, expected.to_vector<double>()) <= tolerance(dtype, 70));
        CHECK(worst_error(slope, expected_slope.to_vector<double>()) <= tolerance(dtype, 140));
      };
      softmax_kernel(Cpu{}, x, dim, expected);
      softmax_kernel(Cuda{}, x, dim, actual);
      softmax_backward_kernel(Cpu{}, grad, expected, dim, expected_slope);
      softmax_backward_kernel(Cuda{}, grad, expected, dim, slope);
      check();
      log_softmax_kernel(Cpu{}, x, dim, expected);
      log_softmax_kernel(Cuda{}, x, dim, actual);
      log_softmax_backward_kernel(Cpu{}, grad, expected, dim, expected_slope);
      log_softmax_backward_kernel(Cuda{}, grad, expected, dim, slope);
      check();
    }
  });
}

TEST_CASE("sum on cuda: columns of a dense matrix, in packs") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (const Shape& shape : {Shape{300, 40}, Shape{1000, 8}}) {
      const Tensor x = test::random_tensor(shape, 1, dtype);
      const ReductionLayout layout = reduction_layout(x, 1);
      Tensor expected = empty({shape[1]}, dtype), actual = empty({shape[1]}, dtype);
      const auto check = [&] {
        mean_kernel(Cpu{}, x, layout, expected);
        mean_kernel(Cuda{}, x, layout, actual);
        CHECK(worst_error(actual, expected.to_vector<double>()) <= tolerance(dtype, 40));
      };
      dtype == DType::f32 ? test::in_both_orders(check) : check();
    }
}

TEST_CASE("softmax and log_softmax on cuda: dense rows in packs, a warp and a block a row, NaN and infinities") {
  const double inf = __builtin_inf();
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (const Shape& shape : {Shape{11, 16}, Shape{3, 200}, Shape{9, 640}, Shape{2, 1304}}) {
      CAPTURE(shape[1]);
      Tensor wide = test::random_tensor(shape, 1);
      wide.mutable_data<double>()[3] = -inf;
      wide.mutable_data<double>()[shape[1]] = __builtin_nan("");
      wide.mutable_data<double>()[2 * shape[1] - 1] = 60;
      const Tensor x = wide.to(dtype), grad = test::random_tensor(shape, 2, dtype);
      const auto close = [&](const Tensor& actual, const Tensor& expected) {
        CHECK(worst_error(actual, expected.to_vector<double>()) <= (dtype == DType::f32 ? 1e-5 : 8e-3));
      };
      const auto check = [&] {
        Tensor expected = empty(shape, dtype), actual = empty(shape, dtype), slope = empty(shape, dtype),
               expected_slope = empty(shape, dtype);
        softmax_kernel(Cpu{}, x, 1, expected);
        softmax_kernel(Cuda{}, x, 1, actual);
        close(actual, expected);
        softmax_backward_kernel(Cpu{}, grad, expected, 1, expected_slope);
        softmax_backward_kernel(Cuda{}, grad, expected, 1, slope);
        close(slope, expected_slope);
        log_softmax_kernel(Cpu{}, x, 1, expected);
        log_softmax_kernel(Cuda{}, x, 1, actual);
        close(actual, expected);
        log_softmax_backward_kernel(Cpu{}, grad, expected, 1, expected_slope);
        log_softmax_backward_kernel(Cuda{}, grad, expected, 1, slope);
        close(slope, expected_slope);
      };
      dtype == DType::f32 ? test::in_both_orders(check) : check();
    }
}

TEST_CASE("softmax on cuda: huge, infinite and NaN values, lines longer than a block, a single number") {
  const double inf = __builtin_inf();
  Tensor x = test::random_tensor({5, 1000}, 1, DType::f32);
  float* data = x.mutable_data<float>();
  data[10] = 1e30f;
  data[1010] = float(-inf);
  data[2010] = float(__builtin_nan(""));
  for (int64_t i = 3000; i < 4000; ++i) data[i] += 1e4f;
  Tensor expected = empty(x.shape()), actual = empty(x.shape());
  softmax_kernel(Cpu{}, x, 1, expected);
  softmax_kernel(Cuda{}, x, 1, actual);
  CHECK(worst_error(actual, expected.to_vector<double>()) <= 1e-6);
  CHECK(std::isnan(actual.to_vector<double>()[2999]));
  Tensor one = empty({});
  softmax_kernel(Cuda{}, scalar(3), 0, one);
  CHECK(one.item() == 1);
}

}  // namespace plumb
