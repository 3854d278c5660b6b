#include "engine/ops/resize/pool.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr PoolWindow kOverlapping{{3, 2}, {2, 1}, {1, 1}};

using Op = Tensor (*)(const Tensor&);
const Op kForward[] = {[](const Tensor& x) { return avg_pool2d(x, kOverlapping); },
                       [](const Tensor& x) { return upsample_nearest(x, 3); },
                       [](const Tensor& x) {
                         return interpolate_nearest(x, {4, 11});
                       },
                       [](const Tensor& x) {
                         return interpolate_area(x, {4, 11});
                       },
                       [](const Tensor& x) {
                         return interpolate_area(x, {1, 1});
                       }};

/// The gradients of the above for x of 7 by 6.
Tensor backward_of(size_t op, const Tensor& grad) {
  switch (op) {
    case 0:
      return avg_pool2d_backward(grad, kOverlapping, {7, 6});
    case 1:
      return upsample_nearest_backward(grad, 3);
    case 2:
      return interpolate_nearest_backward(grad, {7, 6});
    default:
      return interpolate_area_backward(grad, {7, 6});
  }
}

}  // namespace

TEST_CASE("pool: known values") {
  const Tensor x = from_vector<float>({1, 2, 3, 4, 5, 6}, {1, 1, 2, 3});
  CHECK(avg_pool2d(x, {{2, 2}, {1, 1}, {}}).to_vector<double>() == std::vector<double>{3, 4});
  CHECK(avg_pool2d(x, {{2, 2}, {2, 2}, {1, 1}}).to_vector<double>() == std::vector<double>{0.25, 1.25, 1, 2.75});
  CHECK(upsample_nearest(x, 2).to_vector<double>() ==
        std::vector<double>{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
  CHECK(interpolate_nearest(x, {1, 2}).to_vector<double>() == std::vector<double>{1, 2});
  CHECK(interpolate_area(x, {1, 2}).to_vector<double>() == std::vector<double>{3, 4});
  CHECK(interpolate_area(x, {1, 1}).to_vector<double>() == std::vector<double>{3.5});
}

TEST_CASE("pool: same bits for every memory layout, whose order the result follows; 70 channels are two tasks") {
  for (const int64_t channels : {3, 70})
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16})
      for (size_t op = 0; op < std::size(kForward); ++op) {
        CAPTURE(op);
        const Tensor x = random_tensor({2, channels, 7, 6}, 1, dtype), y = kForward[op](x);
        const Tensor nhwc = kForward[op](channels_last(x));
        CHECK(y.is_contiguous());
        CHECK(nhwc.is_channels_last());
        for (const Tensor& other : {nhwc, kForward[op](reversed_memory(x)), kForward[op](with_gaps(x))})
          CHECK((bits_of(other) == bits_of(y)));
        const Tensor g = random_tensor(y.shape(), 2, dtype), grad = backward_of(op, g);
        // A gradient of one pixel a plane is in both orders, and counts as contiguous.
        CHECK(backward_of(op, channels_last(g)).is_channels_last() == (y.size(2) * y.size(3) > 1));
        for (const Tensor& other : {channels_last(g), reversed_memory(g), with_gaps(g)})
          CHECK((bits_of(backward_of(op, other)) == bits_of(grad)));
      }
}

TEST_CASE("pool: backward is the transpose of forward, the same for any threads") {
  const int threads = num_threads();
  for (size_t op = 0; op < std::size(kForward); ++op) {
    const Tensor x = random_tensor({3, 5, 7, 6}, 1), y = kForward[op](x), g = random_tensor(y.shape(), 2);
    const Tensor back = backward_of(op, g);
    CHECK(relative_error(sum(mul(y, g)).item(), sum(mul(x, back)).item()) < 1e-13);
    for (const int count : {1, 3}) {
      set_num_threads(count);
      CHECK(bits_of(kForward[op](x)) == bits_of(y));
      CHECK(bits_of(backward_of(op, g)) == bits_of(back));
    }
  }
  set_num_threads(threads);
}

TEST_CASE("pool: 16 bits are summed in f32 and rounded once; empty batches") {
  const Tensor x = random_tensor({1, 2, 7, 6}, 2, DType::f16);
  for (const Op op : kForward) CHECK(bits_of(op(x)) == bits_of(op(x.to(DType::f32)).to(DType::f16)));
  CHECK(avg_pool2d(zeros({0, 2, 4, 4}), {{2, 2}, {2, 2}, {}}).shape() == Shape{0, 2, 2, 2});
  CHECK(upsample_nearest(zeros({2, 0, 4, 4}), 2).shape() == Shape{2, 0, 8, 8});
}

TEST_CASE("pool: what it refuses") {
  const Tensor x = zeros({1, 1, 4, 4});
  CHECK(message_of([&] {
          avg_pool2d(x, {{0, 2}, {1, 1}, {}});
        }) == "avg_pool2d: kernel must be positive (0 by 2); f32[1, 1, 4, 4]");
  CHECK(message_of([&] {
          avg_pool2d(x, {{2, 2}, {0, 1}, {}});
        }) == "avg_pool2d: stride must be positive (0 by 1); f32[1, 1, 4, 4]");
  CHECK(message_of([&] {
          avg_pool2d(x, {{3, 3}, {1, 1}, {2, 1}});
        }) == "avg_pool2d: padding must be from 0 to half the kernel (2 by 1, kernel 3 by 3); f32[1, 1, 4, 4]");
  CHECK(message_of([&] {
          avg_pool2d(x, {{5, 3}, {1, 1}, {}});
        }) == "avg_pool2d: input with padding must be as large as the kernel (5 by 3); f32[1, 1, 4, 4]");
  CHECK(message_of([&] { upsample_nearest(x, 0); }) == "upsample_nearest: scale must be positive (0); f32[1, 1, 4, 4]");
  CHECK(message_of([&] {
          interpolate_area(x, {2, 0});
        }) == "interpolate_area: size must be positive (2 by 0); f32[1, 1, 4, 4]");
  CHECK_THROWS_AS(interpolate_nearest(zeros({4, 4}), {2, 2}), ShapeError);
  CHECK_THROWS_AS(upsample_nearest(zeros({1, 1, 4, 4}, DType::i32), 2), DTypeError);
}
