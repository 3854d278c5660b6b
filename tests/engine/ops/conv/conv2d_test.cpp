#include "engine/ops/conv/conv2d.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/ops/conv/algorithm.h"
#include "engine/ops/conv/conv2d_reference.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear.h"
#include "engine/parallel.h"
#include "engine/require.h"
#include "tests/support/numeric.h"
#include "tests/support/sanitized.h"

using namespace plumb;
using namespace plumb::test;

// Values against torch, over random sizes and options, are in the golden cases; here is what those cannot say.

TEST_CASE("conv2d: the definition, with everything unequal along the two axes") {
  const Conv2dOptions options{.stride = {2, 1}, .padding = {1, 3}, .dilation = {1, 2}, .groups = 2};
  const Tensor x = random_tensor({2, 6, 7, 5}, 1), weight = random_tensor({4, 3, 3, 2}, 2);
  const Tensor y = conv2d(x, weight, {}, options);
  CHECK(y.shape() == Shape{2, 4, 4, 9});
  CHECK(worst_error(y, reference::conv2d(x, weight, {}, options).to_vector<double>()) < 1e-13);
  const Tensor up = random_tensor(y.shape(), 3);
  CHECK(worst_error(conv2d_backward_x(up, weight, x.shape(), options),
                    reference::conv2d_backward_x(up, weight, x.shape(), options).to_vector<double>()) < 1e-13);
  CHECK(worst_error(conv2d_backward_weight(up, x, weight.shape(), options),
                    reference::conv2d_backward_weight(up, x, weight.shape(), options).to_vector<double>()) < 1e-13);
}

TEST_CASE("conv2d: the gradient of x with a stride, also one larger than the kernel, in several blocks of results") {
  struct Setting {
    Shape x, weight;
    Conv2dOptions options;
  };
  const Setting settings[] = {
      {{3, 4, 9, 8}, {6, 4, 3, 3}, {.stride = {2, 2}, .padding = {1, 1}}},
      {{2, 6, 7, 10}, {4, 3, 2, 3}, {.stride = {1, 3}, .padding = {0, 2}, .groups = 2}},
      {{1, 3, 11, 8}, {5, 3, 2, 1}, {.stride = {4, 3}}},
      {{2, 4, 12, 9}, {2, 4, 3, 2}, {.stride = {2, 1}, .padding = {2, 0}, .dilation = {2, 3}}},
      {{1, 64, 48, 40}, {8, 64, 3, 3}, {.stride = {2, 2}, .padding = {1, 1}}},  // 480 results of 576 shares
  };
  for (const Setting& s : settings)
    for (const DType dtype : {DType::f64, DType::f32}) {
      const Tensor weight = random_tensor(s.weight, 2, dtype);
      const Tensor up = random_tensor(conv2d(zeros(s.x, dtype), weight, {}, s.options).shape(), 3, dtype);
      const std::vector<double> expected =
          reference::conv2d_backward_x(up.to(DType::f64), weight.to(DType::f64), s.x, s.options).to_vector<double>();
      for (const Tensor& grad : {up, channels_last(up)})
        CHECK(worst_error(conv2d_backward_x(grad, weight, s.x, s.options), expected) <
              (dtype == DType::f64 ? 1e-13 : 2e-5));
    }
}

TEST_CASE("conv2d: a 1x1 kernel is linear over the channels of every pixel") {
  const Tensor x = random_tensor({2, 5, 3, 4}, 1), weight = random_tensor({7, 5, 1, 1}, 2),
               bias = random_tensor({7}, 3);
  const Tensor pixels = linear(permute(x, {0, 2, 3, 1}), reshape(weight, {7, 5}), bias);
  CHECK(worst_error(conv2d(x, weight, bias), permute(pixels, {0, 3, 1, 2}).to_vector<double>()) < 1e-14);
}

TEST_CASE("conv2d: memory order follows x, gradients follow grad, and the bits do not depend on it") {
  const Conv2dOptions options{.padding = {1, 1}};
  for (const int64_t groups : {1, 2, 6}) {
    Conv2dOptions o = options;
    o.groups = groups;
    const Tensor x = random_tensor({2, 6, 5, 4}, 1, DType::f32), last = channels_last(x);
    const Tensor weight = random_tensor({6, 6 / groups, 3, 3}, 2, DType::f32);
    const Tensor y = conv2d(x, weight, {}, o), y_last = conv2d(last, channels_last(weight), {}, o);
    CHECK(y.is_contiguous());
    CHECK(y_last.is_channels_last());
    CHECK(bits_of(y) == bits_of(y_last));
    const Tensor dx = conv2d_backward_x(y, weight, x.shape(), o);
    const Tensor dx_last = conv2d_backward_x(y_last, weight, x.shape(), o);
    CHECK(dx.is_contiguous());
    CHECK(dx_last.is_channels_last());
    CHECK(bits_of(dx) == bits_of(dx_last));
    CHECK(bits_of(conv2d_backward_weight(y, with_gaps(x), weight.shape(), o)) ==
          bits_of(conv2d_backward_weight(y_last, last, weight.shape(), o)));
  }
}

TEST_CASE("conv2d: same bits for 1, 2, 3 and 8 threads, with several blocks of patches") {
  const Conv2dOptions options{.padding = {1, 1}};
  const int before = num_threads();
  for (const int64_t groups : {1, 24}) {
    Conv2dOptions o = options;
    o.groups = groups;
    const Tensor x = random_tensor({3, 24, 40, 41}, 1, DType::f32);
    const Tensor weight = random_tensor({24, 24 / groups, 3, 3}, 2, DType::f32);
    std::string first;
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      const Tensor y = conv2d(x, weight, {}, o);
      const std::string bits = bits_of(y) + bits_of(conv2d_backward_x(y, weight, x.shape(), o)) +
                               bits_of(conv2d_backward_weight(y, x, weight.shape(), o));
      if (first.empty()) first = bits;
      CHECK(bits == first);
    }
  }
  set_num_threads(before);
}

TEST_CASE("conv2d: no pictures, no channels") {
  CHECK(conv2d(zeros({0, 2, 4, 4}), zeros({3, 2, 3, 3})).shape() == Shape{0, 3, 2, 2});
  const Tensor bias = from_vector<float>({1, 2}, {2});
  CHECK(conv2d(zeros({1, 0, 2, 1}), zeros({2, 0, 1, 1}), bias).to_vector<double>() == std::vector<double>{1, 1, 2, 2});
  const Tensor grad = conv2d_backward_weight(zeros({0, 3, 2, 2}), zeros({0, 2, 4, 4}), {3, 2, 3, 3}, {});
  CHECK(grad.to_vector<double>() == std::vector<double>(54, 0.0));
}

TEST_CASE("conv2d: rejects what does not fit") {
  const Tensor x = zeros({1, 4, 5, 5}), weight = zeros({2, 4, 3, 3});
  CHECK(message_of([&] {
          conv2d(zeros({4, 5, 5}), weight);
        }) == "conv2d: x must be [N, C, H, W] and weight [O, C/groups, KH, KW]; x [4, 5, 5], weight [2, 4, 3, 3]");
  CHECK(message_of([&] { conv2d(x, weight, {}, {.groups = 2}); }).find("conv2d: weight must have C/groups") == 0);
  CHECK(message_of([&] { conv2d(x, zeros({2, 4, 6, 3})); }).find("conv2d: the kernel is larger than the padded") == 0);
  CHECK(message_of([&] { conv2d(x, zeros({2, 4, 0, 3})); }).find("conv2d: the kernel must not be empty") == 0);
  CHECK(message_of([&] { conv2d(x, weight, zeros({3})); }) == "conv2d: bias must be [O] (O is 2); bias f32[3]");
  CHECK(message_of([&] { conv2d(x, weight, {}, {.stride = {0, 1}}); }) == "conv2d: stride must be at least 1 (0, 1)");
  CHECK(message_of([&] {
          conv2d(x, weight, {}, {.padding = {-1, 0}});
        }) == "conv2d: padding must not be negative (-1, 0)");
  CHECK(message_of([&] {
          conv2d(x, zeros({2, 4, 3, 3}, DType::f64));
        }).find("conv2d: operands must have one dtype") == 0);
  CHECK_THROWS_AS(conv2d_backward_x(zeros({1, 2, 4, 4}), weight, {1, 4, 5, 5}, {}), ShapeError);
}

TEST_CASE("conv2d: direct in f32, on rows of pictures and on patches, agrees with the definition") {
  const WinogradScope direct(WinogradChoice::never);
  struct Case {
    Shape x, weight;
    Conv2dOptions options;
  };
  // Remainders of tiles, panels and parts of depth; several tasks, several pictures in a task; strides without and with
  // samples left over; channels whose rows would conflict in the cache; pictures too narrow for rows.
  const Case cases[] = {
      {{2, 17, 9, 11}, {35, 17, 3, 3}, {.padding = {1, 1}}},
      {{5, 16, 7, 6}, {16, 16, 3, 3}, {.padding = {1, 1}}},
      {{3, 24, 40, 33}, {20, 24, 3, 3}, {.padding = {2, 0}}},
      {{2, 20, 16, 15}, {40, 20, 3, 3}, {.stride = {2, 2}, .padding = {1, 1}}},
      {{2, 18, 19, 21}, {17, 18, 5, 4}, {.stride = {3, 1}, .padding = {0, 3}, .dilation = {2, 1}}},
      {{1, 16, 17, 20}, {16, 16, 1, 1}, {.stride = {2, 3}}},
      {{1, 512, 6, 8}, {16, 512, 3, 3}, {.padding = {1, 1}}},
      {{1, 300, 8, 16}, {600, 300, 2, 3}, {.padding = {1, 1}}},
      {{2, 16, 9, 3}, {16, 16, 3, 3}, {.padding = {1, 1}}},
      {{3, 16, 1, 30}, {16, 16, 1, 3}, {.padding = {0, 4}}},
  };
  for (const Case& c : cases) {
    INFO("channels ", c.x[1], ", height ", c.x[2], ", width ", c.x[3]);
    const Tensor x = channels_last(random_tensor(c.x, 1, DType::f32)), weight = random_tensor(c.weight, 2, DType::f32);
    const Tensor bias = random_tensor({c.weight[0]}, 3, DType::f32);
    const Tensor y = conv2d(x, weight, bias, c.options), up = random_tensor(y.shape(), 4, DType::f32);
    const Tensor grad_x = conv2d_backward_x(up, weight, x.shape(), c.options);
    const Tensor grad_weight = conv2d_backward_weight(up, x, weight.shape(), c.options);
    if (kSanitized && numel(c.weight) > 1000000) continue;  // half a minute for the definition alone
    // The values are below 2 and the terms below 4, so the sums' rounding errors are far below this share of them.
    const double bound = 1e-6 * double(c.x[1] * c.weight[2] * c.weight[3]);
    CHECK(worst_error(y, reference::conv2d(x, weight, bias, c.options).to_vector<double>()) < bound);
    CHECK(worst_error(grad_x, reference::conv2d_backward_x(up, weight, x.shape(), c.options).to_vector<double>()) <
          bound);
    const double many = 1e-6 * double(y.numel() / y.size(1));
    CHECK(worst_error(grad_weight,
                      reference::conv2d_backward_weight(up, x, weight.shape(), c.options).to_vector<double>()) <
          std::max(bound, many));
  }
}
