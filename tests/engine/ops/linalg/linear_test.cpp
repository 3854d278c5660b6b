#include "engine/ops/linalg/linear.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/matmul.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<double> reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::vector<double> input = x.to_vector<double>(), w = weight.to_vector<double>();
  const std::vector<double> offset = bias.defined() ? bias.to_vector<double>() : std::vector<double>();
  const size_t in = size_t(weight.shape()[1]), out = size_t(weight.shape()[0]);
  std::vector<double> y;
  for (size_t row = 0; row < input.size() / in; ++row)
    for (size_t o = 0; o < out; ++o) {
      double sum = 0;
      for (size_t i = 0; i < in; ++i) sum += input[row * in + i] * w[o * in + i];
      y.push_back(sum + (offset.empty() ? 0 : offset[o]));
    }
  return y;
}

}  // namespace

TEST_CASE("linear: known values") {
  const Tensor x = from_vector<float>({1, 2, 3, 4}, {2, 2}), weight = from_vector<float>({1, 0, 0, 1, 1, 1}, {3, 2});
  const Tensor bias = from_vector<float>({10, 20, 30}, {3});
  CHECK(linear(x, weight, bias).to_vector<double>() == std::vector<double>{11, 22, 33, 13, 24, 37});
  CHECK(linear(x, weight).to_vector<double>() == std::vector<double>{1, 2, 3, 3, 4, 7});
}

TEST_CASE("linear: agrees with the definition for any leading shape and layout") {
  const Tensor weight = random_tensor({7, 5}, 1), bias = random_tensor({7}, 2);
  for (const Shape& shape : {Shape{5}, Shape{1, 5}, Shape{33, 5}, Shape{2, 3, 4, 5}}) {
    const Tensor x = random_tensor(shape, 3);
    Shape expected = shape;
    expected[expected.rank() - 1] = 7;
    CHECK(linear(x, weight, bias).shape() == expected);
    for (const Tensor& view : {x, reversed_memory(x), with_gaps(x)})
      for (const Tensor& matrix : {weight, reversed_memory(weight), with_gaps(weight)})
        CHECK(worst_error(linear(view, matrix, with_gaps(bias)), reference(x, weight, bias)) < 1e-14);
  }
}

TEST_CASE("linear: 16-bit floats are added up in float and rounded once") {
  for (DType dtype : {DType::bf16, DType::f16}) {
    const Tensor x = random_tensor({6, 20}, 4, dtype), weight = random_tensor({3, 20}, 5, dtype);
    const Tensor bias = random_tensor({3}, 6, dtype);
    const Tensor wide = linear(x.to(DType::f32), weight.to(DType::f32), bias.to(DType::f32));
    CHECK(bits_of(linear(x, weight, bias)) == bits_of(wide.to(dtype)));
  }
}

TEST_CASE("linear: no features give the bias, no rows give nothing") {
  const Tensor bias = from_vector<float>({1, 2}, {2});
  CHECK(linear(empty({3, 0}), empty({2, 0}), bias).to_vector<double>() == std::vector<double>{1, 2, 1, 2, 1, 2});
  CHECK(linear(empty({0, 4}), ones({2, 4}), bias).shape() == Shape{0, 2});
  CHECK(linear_backward_weight(empty({0, 2}), empty({0, 3})).to_vector<double>() == std::vector<double>(6, 0));
  CHECK(linear_backward_bias(empty({0, 2})).to_vector<double>() == std::vector<double>(2, 0));
  CHECK(linear_backward_x(empty({3, 0}), empty({0, 2})).to_vector<double>() == std::vector<double>(6, 0));
}

TEST_CASE("linear: a product of several tiles gets every tile's own part of the bias") {
  const Tensor x = random_tensor({260, 20}, 1), weight = random_tensor({1100, 20}, 2), bias = random_tensor({1100}, 3);
  CHECK(worst_error(linear(x, weight, bias), reference(x, weight, bias)) < 1e-14);
}

TEST_CASE("linear: the bias gradient of a long batch does not lose its mean") {
  // Blocks of 128 rows sum exactly in float; their total, 2^30 and back, would not.
  const int64_t rows = 128 * 400;
  std::vector<float> values;
  for (int64_t i = 0; i < rows; ++i) values.push_back(i < rows / 2 ? 65536.0f : -65535.5f);
  CHECK(linear_backward_bias(from_vector(values, {rows, 1})).item() == 0.5 * double(rows / 2));
  const Tensor repeated = expand(from_vector<float>({0.5f}, {1, 1}), {1027, 3});
  CHECK(linear_backward_bias(repeated).to_vector<double>() == std::vector<double>(3, 513.5));
}

TEST_CASE("linear: errors name the operands") {
  CHECK_THROWS_WITH_AS(linear(ones({2, 3}), ones({4, 5})),
                       "linear: x must have in features last (expected 5, got 3); x f32[2, 3], weight f32[4, 5]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(linear(ones({2, 3}), ones({4})),
                       "linear: x must be [..., in], weight [out, in]; x f32[2, 3], weight f32[4]", ShapeError);
  CHECK_THROWS_WITH_AS(linear(ones({2, 3}), ones({4, 3}), ones({3})),
                       "linear: bias must be [out] (out is 4); bias f32[3], weight f32[4, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(linear(ones({2, 3}), ones({4, 3}), ones({4}, DType::f64)),
                       "linear: operands must have one dtype; x f32[2, 3], weight f32[4, 3], bias f64[4]", DTypeError);
  CHECK_THROWS_WITH_AS(linear(ones({2, 3}, DType::i64), ones({4, 3}, DType::i64)),
                       "linear: takes floating tensors; i64[2, 3]", DTypeError);
}

TEST_CASE("linear: same bits for every number of threads, forwards and backwards") {
  const Tensor x = random_tensor({3000, 130}, 7, DType::f32), weight = random_tensor({70, 130}, 8, DType::f32);
  const Tensor bias = random_tensor({70}, 9, DType::f32), grad = random_tensor({3000, 70}, 10, DType::f32);
  auto all = [&] {
    return bits_of(linear(x, weight, bias)) + bits_of(linear_backward_x(grad, weight)) +
           bits_of(linear_backward_weight(grad, x)) + bits_of(linear_backward_bias(grad));
  };
  const int before = num_threads();
  set_num_threads(1);
  const std::string single = all();
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    CHECK(all() == single);
  }
  set_num_threads(before);
}
