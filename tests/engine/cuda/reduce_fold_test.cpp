#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/ops/reduce/any_all_kernels.h"
#include "engine/ops/reduce/cumsum_kernels.h"
#include "engine/ops/reduce/extremum_kernels.h"
#include "engine/ops/reduce/logsumexp_kernels.h"
#include "engine/ops/reduce/prod_kernels.h"
#include "engine/ops/reduce/variance_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;
using test::worst_error;

constexpr double kInfinity = __builtin_inf();

double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-13 : dtype == DType::f32 ? 1e-5 : 1e-2; }

Tensor poisoned(const Shape& shape, DType dtype) {
  Tensor x = empty(shape, dtype);
  for (int64_t i = 0; i < x.numel() * size_of(dtype); ++i) static_cast<char*>(x.raw_mutable_data())[i] = char(0xff);
  return x;
}

/// f32 in every layout and both orders of the threads, the other types once. check(x, mask)
template <class F>
void in_layouts(const Tensor& wide, F&& check) {
  const Tensor x = wide.to(DType::f32);
  const auto each_mask = [&](const Tensor& each) {
    for (DimMask mask = 1; mask < (DimMask(1) << x.rank()); ++mask) {
      CAPTURE(mask);
      check(each, mask);
    }
  };
  test::in_both_orders([&] { each_mask(test::reversed_memory(x)); });
  for (const Tensor& each : {x, test::with_gaps(x)}) each_mask(each);
  for (DType dtype : {DType::f64, DType::bf16, DType::f16}) each_mask(test::reversed_memory(wide.to(dtype)));
}

/// kernel(backend, layout, out) on both.
template <class F>
void check_same(const Tensor& x, DimMask mask, DType out_dtype, double allowed, F&& kernel) {
  const ReductionLayout layout = reduction_layout(x, mask, true);
  Tensor expected = empty({layout.outputs}, out_dtype), actual = poisoned({layout.outputs}, out_dtype);
  kernel(Cpu{}, layout, expected);
  kernel(Cuda{}, layout, actual);
  CHECK(worst_error(actual, expected.to_vector<double>()) <= allowed);
}

/// kernel(backend, grad, y, grad_x) on both; forward(y) on the CPU.
template <class F, class G>
void check_same_gradient(const Tensor& x, DimMask mask, F&& forward, G&& kernel) {
  const ReductionLayout layout = reduction_layout(x, mask, true);
  const Tensor grad = test::random_tensor({layout.outputs}, 5, x.dtype());
  Tensor y = empty({layout.outputs}, x.dtype()), expected = empty(x.shape(), x.dtype()),
         actual = poisoned(x.shape(), x.dtype());
  forward(layout, y);
  kernel(Cpu{}, grad, y, expected);
  kernel(Cuda{}, grad, y, actual);
  CHECK(worst_error(actual, expected.to_vector<double>()) <= tolerance(x.dtype()));
}

/// Small whole numbers, so that there are ties, some NaN and infinities.
Tensor with_ties(const Shape& shape, bool special) {
  Tensor x = test::random_tensor(shape, 7);
  double* data = x.mutable_data<double>();
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = std::floor(2 * data[i]);
  for (int64_t i = 0; special && i < x.numel(); i += 29)
    data[i] = i % 3 == 0 ? kInfinity : i % 3 == 1 ? -kInfinity : std::nan("");
  return x;
}

}  // namespace

TEST_CASE("any and all on cuda: any dimensions, layouts and types, nothing at all") {
  const auto check = [](const Tensor& x, DimMask mask) {
    check_same(x, mask, DType::boolean, 0,
               [&](auto backend, const auto& layout, Tensor& out) { any_kernel(backend, x, layout, out); });
    check_same(x, mask, DType::boolean, 0,
               [&](auto backend, const auto& layout, Tensor& out) { all_kernel(backend, x, layout, out); });
  };
  in_layouts(with_ties({3, 2, 40}, true), check);
  for (DType dtype : {DType::boolean, DType::u8, DType::i32, DType::i64})
    check(gt(test::random_tensor({4, 6}), 0.5).to(dtype), 2);
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}, Shape{1}}) check(zeros(shape, DType::f32), 1);
}

TEST_CASE("max, min, argmax and argmin on cuda: ties, NaN, infinities, integers, long lines") {
  const auto check = [](const Tensor& x, DimMask mask) {
    for (const Extremum which : {Extremum::max, Extremum::min}) {
      check_same(x, mask, x.dtype(), 0, [&](auto backend, const auto& layout, Tensor& out) {
        extremum_kernel(backend, which, x, layout, out);
      });
      check_same(x, mask, DType::i64, 0, [&](auto backend, const auto& layout, Tensor& out) {
        arg_extremum_kernel(backend, which, x, layout, out);
      });
    }
  };
  in_layouts(with_ties({3, 4, 40}, true), check);
  for (DType dtype : {DType::boolean, DType::u8, DType::i32, DType::i64})
    check(add(with_ties({40, 6}, false), 4).to(dtype), 1);
  check(test::random_tensor({20'000}), 1);
  check(test::random_tensor({130, 33}), 1);
  in_layouts(with_ties({3, 4, 40}, false), [](const Tensor& x, DimMask mask) {
    for (const Extremum which : {Extremum::max, Extremum::min})
      check_same_gradient(
          x, mask, [&](const auto& layout, Tensor& y) { extremum_kernel(Cpu{}, which, x, layout, y); },
          [&](auto backend, const Tensor& grad, const Tensor& y, Tensor& grad_x) {
            extremum_backward_kernel(backend, grad, x, y, mask, grad_x);
          });
  });
}

TEST_CASE("prod on cuda: zeros, integers, gradients, lines longer than a block") {
  const auto check = [](const Tensor& x, DimMask mask) {
    check_same(x, mask, is_floating(x.dtype()) ? x.dtype() : DType::i64,
               is_floating(x.dtype()) ? tolerance(x.dtype()) : 0,
               [&](auto backend, const auto& layout, Tensor& out) { prod_kernel(backend, x, layout, out); });
    if (!is_floating(x.dtype())) return;
    check_same_gradient(
        x, mask, [](const auto&, Tensor&) {},
        [&](auto backend, const Tensor& grad, const Tensor&, Tensor& grad_x) {
          prod_backward_kernel(backend, grad, x, mask, grad_x);
        });
  };
  Tensor x = test::random_tensor({3, 2, 40});
  for (int64_t at : {5, 100, 101}) x.mutable_data<double>()[at] = 0;
  in_layouts(x, check);
  for (DType dtype : {DType::u8, DType::i32, DType::i64}) check(add(with_ties({4, 6}, false), 4).to(dtype), 2);
  check(add(mul(test::random_tensor({2, 300}), 0.1), 1), 2);
  check(zeros({3, 0}, DType::f32), 2);
}

TEST_CASE("logsumexp on cuda: infinities and NaN, gradients, long lines, nothing at all") {
  const auto check = [](const Tensor& x, DimMask mask) {
    const auto forward = [&](auto backend, const auto& layout, Tensor& out) {
      logsumexp_kernel(backend, x, layout, out);
    };
    check_same(x, mask, x.dtype(), tolerance(x.dtype()), forward);
    check_same_gradient(
        x, mask, [&](const auto& layout, Tensor& y) { forward(Cpu{}, layout, y); },
        [&](auto backend, const Tensor& grad, const Tensor& y, Tensor& grad_x) {
          logsumexp_backward_kernel(backend, grad, x, y, mask, grad_x);
        });
  };
  in_layouts(mul(test::random_tensor({3, 2, 40}), 20), check);
  check(with_ties({30, 10}, true), 2);
  check(with_ties({30, 40}, true), 1);
  Tensor low = zeros({2, 3}, DType::f32);
  for (int64_t i = 0; i < 3; ++i) low.mutable_data<float>()[i] = float(-kInfinity);
  check(low, 2);
  check(test::random_tensor({17'000}, 1, DType::f32), 1);
  check(zeros({3, 0}, DType::f32), 2);
}

TEST_CASE("var and std on cuda: corrections, gradients, far from zero, nothing at all") {
  const auto check = [](const Tensor& x, DimMask mask) {
    for (const bool root : {false, true})
      for (const double correction : {0.0, 1.0}) {
        const auto forward = [&](auto backend, const auto& layout, Tensor& out) {
          variance_kernel(backend, x, layout, correction, root, out);
        };
        check_same(x, mask, x.dtype(), tolerance(x.dtype()), forward);
        check_same_gradient(
            x, mask, [&](const auto& layout, Tensor& y) { forward(Cpu{}, layout, y); },
            [&](auto backend, const Tensor& grad, const Tensor& y, Tensor& grad_x) {
              variance_backward_kernel(backend, grad, x, root ? y : Tensor(), mask, correction, grad_x);
            });
      }
  };
  in_layouts(test::random_tensor({3, 2, 40}), check);
  check(add(test::random_tensor({300, 3}), 1e4), 1);
  check(test::random_tensor({20'000}), 1);
  check(ones({4, 5}, DType::f32), 2);
  check(zeros({3, 0}, DType::f32), 2);
  check(test::random_tensor({3, 1}), 2);
}

TEST_CASE("cumsum on cuda: any dimension, both directions, short and long lines, integers") {
  const auto check = [](const Tensor& x, int64_t dim) {
    const DType dtype = is_floating(x.dtype()) ? x.dtype() : DType::i64;
    for (const bool reverse : {false, true}) {
      Tensor expected = empty(x.shape(), dtype), actual = poisoned(x.shape(), dtype);
      cumsum_kernel(Cpu{}, x, dim, reverse, expected);
      cumsum_kernel(Cuda{}, x, dim, reverse, actual);
      CHECK(worst_error(actual, expected.to_vector<double>()) <= tolerance(dtype));
    }
  };
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i32, DType::boolean}) {
    const Tensor x = test::random_tensor({3, 40, 5}).to(dtype);
    for (int64_t dim = 0; dim < 3; ++dim) check(test::reversed_memory(x), dim);
    check(x, 1);
  }
  test::in_both_orders([&] { check(test::random_tensor({2, 600}), 1); });
  check(test::random_tensor({4100, 33}), 1);
  check(scalar(3), 0);
}

}  // namespace plumb
