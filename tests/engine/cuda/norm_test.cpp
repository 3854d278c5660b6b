#include <doctest/doctest.h>

#include "engine/ops/layout/view.h"
#include "engine/ops/norm/group_norm_kernels.h"
#include "engine/ops/norm/layer_norm_kernels.h"
#include "engine/ops/norm/rms_norm_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16};

void check_within(const Tensor& actual, const Tensor& expected, double f32_tolerance) {
  const DType dtype = actual.dtype();
  const double tolerance = dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? f32_tolerance : 1e-2;
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= tolerance);
}

// Both against f64. A mean of 100 is rounded by up to 4e-6, and what is left divided by the deviation; in a gradient's
// sum these errors, all of one sign, add up: the CPU's kernels are off by up to 3.0e-5 here.
void check_close(const Tensor& actual, const Tensor& expected) { check_within(actual, expected, 1e-5); }
void check_gradient(const Tensor& actual, const Tensor& expected) { check_within(actual, expected, 4e-5); }

/// Far from zero, where one pass over the squares would lose its digits.
Tensor off_centre(const Shape& shape, DType dtype) {
  Tensor x = test::random_tensor(shape, 1);
  if (!is_floating(dtype) || size_of(dtype) > 2) x.add_(scalar(100, DType::f64));
  return x.to(dtype);
}

Tensor in_double(const Tensor& x) { return x.defined() ? x.to(DType::f64) : x; }

Tensor maybe(bool there, const Shape& shape, uint64_t seed, DType dtype) {
  return there ? test::random_tensor(shape, seed, dtype) : Tensor();
}

}  // namespace

TEST_CASE("layer_norm on cuda: forward and backward, with and without parameters, narrow and wide rows") {
  for (DType dtype : kTypes)
    for (const Shape& shape : {Shape{5, 1}, Shape{70, 33}, Shape{3, 304}, Shape{67, 40}, Shape{2, 1288}})
      for (const bool parameters : {false, true}) {
        const int64_t rows = shape[0], width = shape[1];
        CAPTURE(width);
        const Tensor x = off_centre(shape, dtype), grad = test::random_tensor(shape, 2, dtype);
        const Tensor weight = maybe(parameters, {width}, 3, dtype), bias = maybe(parameters, {width}, 4, dtype);
        const DType acc = acc_dtype(dtype);
        const auto result = [&, shape = shape](DType type, DType sums) {
          return LayerNormResult{empty(shape, type), empty({rows}, sums), empty({rows}, sums)};
        };
        const auto gradients = [&, shape = shape](DType type) {
          return LayerNormGrads{empty(shape, type), empty({width}, type), empty({width}, type)};
        };
        LayerNormResult expected = result(DType::f64, DType::f64), actual = result(dtype, acc);
        layer_norm_kernel(Cpu{}, in_double(x), in_double(weight), in_double(bias), 1e-5, expected);
        LayerNormGrads expected_grads = gradients(DType::f64), grads = gradients(dtype);
        layer_norm_backward_kernel(Cpu{}, in_double(grad), in_double(x), expected, in_double(weight), expected_grads);
        const auto check = [&, shape = shape] {
          layer_norm_kernel(Cuda{}, x, weight, bias, 1e-5, actual);
          check_close(actual.y, expected.y);
          check_close(actual.mean, expected.mean);
          check_close(actual.rstd, expected.rstd);
          layer_norm_backward_kernel(Cuda{}, grad, x, actual, weight, grads);
          check_gradient(grads.x, expected_grads.x);
          check_gradient(grads.weight, expected_grads.weight);
          check_gradient(grads.bias, expected_grads.bias);
        };
        dtype == DType::f32 ? test::in_both_orders(check) : check();
        LayerNormGrads only_bias{{}, {}, empty({width}, dtype)};
        layer_norm_backward_kernel(Cuda{}, grad, x, actual, weight, only_bias);
        check_gradient(only_bias.bias, expected_grads.bias);
      }
}

TEST_CASE("rms_norm on cuda: forward and backward, with and without weight") {
  for (DType dtype : kTypes)
    for (const auto& [weighted, columns] : {std::pair<bool, int64_t>{false, 35}, {true, 35}, {false, 48}, {true, 48}}) {
      const Shape shape{67, columns};
      const Tensor x = test::random_tensor(shape, 1, dtype), grad = test::random_tensor(shape, 2, dtype),
                   weight = maybe(weighted, {columns}, 3, dtype);
      const DType acc = acc_dtype(dtype);
      RmsNormResult expected{empty(shape, DType::f64), empty({67}, DType::f64)},
          actual{empty(shape, dtype), empty({67}, acc)};
      rms_norm_kernel(Cpu{}, in_double(x), in_double(weight), 1e-6, expected);
      rms_norm_kernel(Cuda{}, x, weight, 1e-6, actual);
      check_close(actual.y, expected.y);
      check_close(actual.rstd, expected.rstd);
      RmsNormGrads expected_grads{empty(shape, DType::f64), empty({columns}, DType::f64)},
          grads{empty(shape, dtype), empty({columns}, dtype)};
      rms_norm_backward_kernel(Cpu{}, in_double(grad), in_double(x), expected.rstd, in_double(weight), expected_grads);
      rms_norm_backward_kernel(Cuda{}, grad, x, actual.rstd, weight, grads);
      check_gradient(grads.x, expected_grads.x);
      check_gradient(grads.weight, expected_grads.weight);
    }
}

namespace {

struct GroupNormCase {
  Shape shape;  // [N, P, C]
  int64_t groups;
  DType dtype;
  bool pixels_innermost, silu, parameters;
};

void check_group_norm(const GroupNormCase& what) {
  const Shape& shape = what.shape;
  const int64_t groups = what.groups;
  const DType dtype = what.dtype;
  const bool pixels_innermost = what.pixels_innermost, silu = what.silu, parameters = what.parameters;
  CAPTURE(shape[2]);
  CAPTURE(groups);
  CAPTURE(silu);
  const int64_t batch = shape[0], channels = shape[2];
  const DType acc = acc_dtype(dtype);
  const GroupNormOptions options{.groups = groups, .eps = 1e-5, .silu = silu};
  // The same [N, P, C] values with the pixels next to each other in memory.
  const auto order = [&](const Tensor& values) {
    if (!pixels_innermost) return values;
    Tensor turned = permute(empty({shape[0], shape[2], shape[1]}, values.dtype()), {0, 2, 1});
    return turned.copy_(values);
  };
  const Tensor x = order(off_centre(shape, dtype)), grad = order(test::random_tensor(shape, 2, dtype));
  const Tensor weight = maybe(parameters, {channels}, 3, acc), bias = maybe(parameters, {channels}, 4, acc);
  const auto result = [&](DType type) {
    return GroupNormResult{order(zeros(shape, type)), empty({2, batch, groups}, acc_dtype(type))};
  };
  const auto gradients = [&](DType type) {
    return GroupNormGrads{order(zeros(shape, type)), empty({channels}, acc_dtype(type)),
                          empty({channels}, acc_dtype(type))};
  };
  GroupNormResult expected = result(DType::f64), actual = result(dtype);
  GroupNormGrads expected_grads = gradients(DType::f64), grads = gradients(dtype);
  const GroupNormSaved wide{order(in_double(x)), expected.statistics, in_double(weight), in_double(bias)};
  group_norm_kernel(Cpu{}, wide.x, wide.weight, wide.bias, options, expected);
  group_norm_backward_kernel(Cpu{}, order(in_double(grad)), wide, options, expected_grads);
  const auto check = [&] {
    group_norm_kernel(Cuda{}, x, weight, bias, options, actual);
    check_close(actual.y, expected.y);
    check_close(actual.statistics, expected.statistics);
    Tensor again = order(zeros(shape, dtype));
    group_norm_again_kernel(Cuda{}, {x, actual.statistics, weight, bias}, options, again);
    CHECK(test::bits_of(again) == test::bits_of(actual.y));
    group_norm_backward_kernel(Cuda{}, grad, {x, actual.statistics, weight, bias}, options, grads);
    check_gradient(grads.x, expected_grads.x);
    check_gradient(grads.weight, expected_grads.weight);
    check_gradient(grads.bias, expected_grads.bias);
  };
  dtype == DType::f32 ? test::in_both_orders(check) : check();
}

}  // namespace

TEST_CASE("group_norm on cuda: forward and backward, both memory orders, with SiLU and parameters or not, odd groups") {
  for (const bool pixels_innermost : {false, true})
    for (DType dtype : kTypes)
      for (const auto& [shape, groups] : {std::pair{Shape{3, 1, 6}, 3}, {Shape{2, 70, 15}, 5}, {Shape{2, 5, 4}, 1}})
        for (const bool silu : {false, true})
          for (const bool parameters : {false, true})
            check_group_norm({shape, groups, dtype, pixels_innermost, silu, parameters});
}

TEST_CASE(
    "group_norm on cuda: channels in packs, groups across packs, one pixel, many chunks, an odd number of packs") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (const auto& [shape, groups] : {std::pair{Shape{2, 67, 24}, 8},
                                        {Shape{1, 9, 320}, 32},
                                        {Shape{2, 1, 16}, 1},
                                        {Shape{1, 5, 536}, 2},
                                        {Shape{1, 150, 8}, 8}})
      for (const bool on : {false, true}) check_group_norm({shape, groups, dtype, false, on, on});
}

}  // namespace plumb
