#include "engine/ops/norm/group_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/elementwise/unary.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/ops/norm/norm_reference.h"
#include "engine/parallel.h"
#include "engine/require.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

// Values and gradients against torch, over random sizes and options, are in the golden cases.

TEST_CASE("group_norm: known values, and the statistics it returns") {
  const Tensor x = from_vector<float>({1, 3, 5, 5, 2, 6, 4, 4}, {1, 4, 2});
  const GroupNormResult r = group_norm(x, {}, {}, {.groups = 2, .eps = 0});
  const double first = std::sqrt(2.75), second = std::sqrt(2.0);
  CHECK(worst_error(r.statistics, {3.5, 4, 1 / first, 1 / second}) < 1e-6);
  CHECK(worst_error(r.y, {-2.5 / first, -0.5 / first, 1.5 / first, 1.5 / first, -2 / second, 2 / second, 0, 0}) < 1e-6);
}

TEST_CASE("group_norm: agrees with the formula, forward and backward, in every layout, with and without SiLU") {
  // 72 channels are one tile, 105 are two, of which the second has fewer than silu computes at a time.
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 6, 5, 3}, Shape{3, 33, 7, 7}, Shape{1, 64, 31, 9},
                             Shape{2, 72, 6, 7}, Shape{1, 105, 8, 9}})
    for (const int64_t groups : {int64_t(1), shape[1] % 3 == 0 ? 3 : shape[1]})
      for (const int use : {0, 1, 2, 3, 4, 7}) {
        const DType dtype = use == 2 ? DType::f64 : DType::f32;
        const GroupNormOptions options{.groups = groups, .silu = bool(use & 4)};
        const Tensor x = random_tensor(shape, 1, dtype), up = random_tensor(shape, 4, dtype);
        const Tensor weight = use & 1 ? random_tensor({shape[1]}, 2, dtype) : Tensor();
        const Tensor bias = use & 2 ? random_tensor({shape[1]}, 3, dtype) : Tensor();
        const GroupNormResult expected = reference::group_norm(x, weight, bias, options);
        const GroupNormGrads right = reference::group_norm_backward(up, x, weight, bias, options);
        // Of one value a group nothing is left, but for what rounding made of 0 / sqrt(eps).
        const double tolerance = dtype == DType::f64                            ? 1e-11
                                 : shape[1] / groups * shape[2] * shape[3] == 1 ? 1e-3
                                                                                : 2e-5;
        for (const Tensor& layout : {x, channels_last(x), with_gaps(x)}) {
          const GroupNormResult r = group_norm(layout, weight, bias, options);
          CHECK(worst_error(r.y, expected.y.to_vector<double>()) <= tolerance);
          CHECK(worst_error(r.statistics, expected.statistics.to_vector<double>()) <= tolerance);
          const GroupNormGrads g = group_norm_backward(up, {layout, r.statistics, weight, bias}, options,
                                                       {.x = true, .weight = bool(use & 1), .bias = bool(use & 2)});
          CHECK(worst_error(g.x, right.x.to_vector<double>()) <= tolerance);
          if (use & 1) CHECK(worst_error(g.weight, right.weight.to_vector<double>()) <= tolerance);
          if (use & 2) CHECK(worst_error(g.bias, right.bias.to_vector<double>()) <= tolerance);
        }
      }
}

TEST_CASE("group_norm: one group is layer norm over everything but the batch") {
  const Tensor x = random_tensor({3, 4, 5, 2});
  const Tensor y = layer_norm(x, {4, 5, 2}).y;
  CHECK(worst_error(group_norm(x, {}, {}, {.groups = 1}).y, y.to_vector<double>()) < 1e-13);
}

TEST_CASE("group_norm: a mean far from zero costs no more than its share of the digits") {
  Tensor x = random_tensor({2, 6, 40, 30}, 1, DType::f64);
  const Tensor y = group_norm(x, {}, {}, {.groups = 3}).y;
  x.add_(full({1}, 1000, DType::f64));
  const Tensor shifted = group_norm(x.to(DType::f32), {}, {}, {.groups = 3}).y;
  CHECK(worst_error(shifted, y.to_vector<double>()) < 1e-4);
}

TEST_CASE("group_norm: again, from the statistics, the bits are the same") {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16})
    for (const bool silu : {false, true}) {
      const Tensor x = random_tensor({2, 66, 9, 7}, 1, dtype), weight = random_tensor({66}, 2, dtype),
                   bias = random_tensor({66}, 3, dtype);
      const GroupNormOptions options{.groups = 3, .silu = silu};
      for (const Tensor& layout : {x, channels_last(x)}) {
        const GroupNormResult r = group_norm(layout, weight, bias, options);
        const Tensor y = group_norm_again({layout, r.statistics, weight, bias}, options);
        CHECK(bits_of(y) == bits_of(r.y));
        CHECK(y.is_channels_last() == layout.is_channels_last());
      }
    }
}

TEST_CASE("group_norm: with SiLU it is group norm, then SiLU") {
  const Tensor x = random_tensor({2, 4, 3, 3}), weight = random_tensor({4}, 2), bias = random_tensor({4}, 3);
  const Tensor plain = group_norm(x, weight, bias, {.groups = 2}).y;
  const Tensor fused = group_norm(x, weight, bias, {.groups = 2, .silu = true}).y;
  CHECK(bits_of(fused) == bits_of(silu(plain)));
}

TEST_CASE("group_norm: memory order follows x, and the bits do not depend on it or on the threads") {
  const int before = num_threads();
  for (const Shape& shape : {Shape{3, 12, 50, 49}, Shape{2, 72, 35, 33}, Shape{2, 132, 33, 32}}) {
    const Tensor x = random_tensor(shape, 1, DType::f32), last = channels_last(x);
    const Tensor weight = random_tensor({shape[1]}, 2, DType::f32), bias = random_tensor({shape[1]}, 3, DType::f32);
    const Tensor up = random_tensor(shape, 4, DType::f32);
    std::string first;
    for (const int threads : {1, 2, 3, 8})
      for (const Tensor& input : {x, last}) {
        set_num_threads(threads);
        const GroupNormOptions options{.groups = 4, .silu = true};
        const GroupNormResult r = group_norm(input, weight, bias, options);
        const GroupNormGrads g = group_norm_backward(up, {input, r.statistics, weight, bias}, options,
                                                     {.x = true, .weight = true, .bias = true});
        CHECK(r.y.is_channels_last() == input.is_channels_last());
        CHECK(g.x.is_channels_last() == input.is_channels_last());
        const std::string bits = bits_of(r.y) + bits_of(g.x) + bits_of(g.weight) + bits_of(g.bias);
        if (first.empty()) first = bits;
        CHECK(bits == first);
      }
  }
  set_num_threads(before);
}

TEST_CASE("group_norm: no pictures, and what it rejects") {
  CHECK(group_norm(zeros({0, 4, 2}), {}, {}, {.groups = 2}).y.shape() == Shape{0, 4, 2});
  CHECK(message_of([] {
          group_norm(zeros({2, 5}), {}, {}, {.groups = 2});
        }) == "group_norm: channels must be a multiple of groups (2); f32[2, 5]");
  CHECK(message_of([] {
          group_norm(zeros({2, 4}), {}, {}, {.groups = 0});
        }) == "group_norm: groups must be at least 1 (0)");
  CHECK(message_of([] { group_norm(zeros({4}), {}, {}, {}); }) == "group_norm: x must be [N, C, ...]; f32[4]");
  CHECK(message_of([] {
          group_norm(zeros({2, 4}), zeros({3}), {}, {});
        }) == "group_norm: weight must be [C] (C is 4); weight f32[3], x f32[2, 4]");
  CHECK_THROWS_AS(group_norm(zeros({2, 4}, DType::i64), {}, {}, {}), DTypeError);
  CHECK_THROWS_AS(group_norm(zeros({2, 4}), {}, {}, {.groups = 1, .eps = -1}), ValueError);
}
