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

void check_close(const Tensor& actual, const Tensor& expected) {
  const DType dtype = expected.dtype();
  // f32: both sides round a mean of 100, to 4e-6 each, and divide by the deviation.
  const double tolerance = dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? 3e-5 : 1e-2;
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= tolerance);
}

/// Far from zero, where one pass over the squares would lose its digits.
Tensor off_centre(const Shape& shape, DType dtype) {
  Tensor x = test::random_tensor(shape, 1);
  if (!is_floating(dtype) || size_of(dtype) > 2) x.add_(scalar(100, DType::f64));
  return x.to(dtype);
}

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
        LayerNormResult expected{empty(shape, dtype), empty({rows}, acc), empty({rows}, acc)},
            actual{empty(shape, dtype), empty({rows}, acc), empty({rows}, acc)};
        layer_norm_kernel(Cpu{}, x, weight, bias, 1e-5, expected);
        LayerNormGrads expected_grads{empty(shape, dtype), empty({width}, dtype), empty({width}, dtype)},
            grads{empty(shape, dtype), empty({width}, dtype), empty({width}, dtype)};
        layer_norm_backward_kernel(Cpu{}, grad, x, expected, weight, expected_grads);
        const auto check = [&, shape = shape] {
          layer_norm_kernel(Cuda{}, x, weight, bias, 1e-5, actual);
          check_close(actual.y, expected.y);
          check_close(actual.mean, expected.mean);
          check_close(actual.rstd, expected.rstd);
          layer_norm_backward_kernel(Cuda{}, grad, x, expected, weight, grads);
          check_close(grads.x, expected_grads.x);
          check_close(grads.weight, expected_grads.weight);
          check_close(grads.bias, expected_grads.bias);
        };
        dtype == DType::f32 ? test::in_both_orders(check) : check();
        LayerNormGrads only_bias{{}, {}, empty({width}, dtype)};
        layer_norm_backward_kernel(Cuda{}, grad, x, expected, weight, only_bias);
        check_close(only_bias.bias, expected_grads.bias);
      }
}

TEST_CASE("rms_norm on cuda: forward and backward, with and without weight") {
  for (DType dtype : kTypes)
    for (const auto& [weighted, columns] : {std::pair<bool, int64_t>{false, 35}, {true, 35}, {false, 48}, {true, 48}}) {
      const Shape shape{67, columns};
      const Tensor x = test::random_tensor(shape, 1, dtype), grad = test::random_tensor(shape, 2, dtype),
                   weight = maybe(weighted, {columns}, 3, dtype);
      const DType acc = acc_dtype(dtype);
      RmsNormResult expected{empty(shape, dtype), empty({67}, acc)}, actual{empty(shape, dtype), empty({67}, acc)};
      rms_norm_kernel(Cpu{}, x, weight, 1e-6, expected);
      rms_norm_kernel(Cuda{}, x, weight, 1e-6, actual);
      check_close(actual.y, expected.y);
      check_close(actual.rstd, expected.rstd);
      RmsNormGrads expected_grads{empty(shape, dtype), empty({columns}, dtype)},
          grads{empty(shape, dtype), empty({columns}, dtype)};
      rms_norm_backward_kernel(Cpu{}, grad, x, expected.rstd, weight, expected_grads);
      rms_norm_backward_kernel(Cuda{}, grad, x, expected.rstd, weight, grads);
      check_close(grads.x, expected_grads.x);
      check_close(grads.weight, expected_grads.weight);
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
  const auto result = [&] { return GroupNormResult{order(zeros(shape, dtype)), empty({2, batch, groups}, acc)}; };
  const auto gradients = [&] {
    return GroupNormGrads{order(zeros(shape, dtype)), empty({channels}, acc), empty({channels}, acc)};
  };
  GroupNormResult expected = result(), actual = result();
  GroupNormGrads expected_grads = gradients(), grads = gradients();
  group_norm_kernel(Cpu{}, x, weight, bias, options, expected);
  const GroupNormSaved saved{x, expected.statistics, weight, bias};
  group_norm_backward_kernel(Cpu{}, grad, saved, options, expected_grads);
  const auto check = [&] {
    group_norm_kernel(Cuda{}, x, weight, bias, options, actual);
    check_close(actual.y, expected.y);
    check_close(actual.statistics, expected.statistics);
    Tensor again = order(zeros(shape, dtype));
    group_norm_again_kernel(Cuda{}, {x, actual.statistics, weight, bias}, options, again);
    CHECK(test::bits_of(again) == test::bits_of(actual.y));
    group_norm_backward_kernel(Cuda{}, grad, saved, options, grads);
    check_close(grads.x, expected_grads.x);
    check_close(grads.weight, expected_grads.weight);
    check_close(grads.bias, expected_grads.bias);
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
