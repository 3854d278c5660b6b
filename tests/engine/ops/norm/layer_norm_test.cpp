#include "engine/ops/norm/layer_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/norm/norm_reference.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("layer_norm: known values, and the statistics it returns") {
  const LayerNormResult r = layer_norm(from_vector<float>({1, 3, 2, 2}, {2, 2}), {2}, {}, {}, 0.5);
  CHECK(r.mean.to_vector<double>() == std::vector<double>{2, 2});
  CHECK(worst_error(r.rstd, {1 / std::sqrt(1.5), 1 / std::sqrt(0.5)}) <= 1e-7);
  CHECK(worst_error(r.y, {-1 / std::sqrt(1.5), 1 / std::sqrt(1.5), 0, 0}) <= 1e-7);
}

TEST_CASE("layer_norm: agrees with the formula for every layout, dtype, weight and bias") {
  for (const Shape& shape : {Shape{5, 7}, Shape{2, 3, 128}, Shape{3, 1}, Shape{40, 2500}})
    for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Shape width = {shape.back()};
      const Tensor x = random_tensor(shape, 1, dtype), w = random_tensor(width, 2, dtype),
                   b = random_tensor(width, 3, dtype);
      const double tolerance = dtype == DType::f64   ? 1e-13
                               : dtype == DType::f32 ? 2e-6
                               : dtype == DType::f16 ? 1e-3
                                                     : 8e-3;
      for (int use = 0; use < 4; ++use) {
        const Tensor weight = use & 1 ? w : Tensor(), bias = use & 2 ? b : Tensor();
        const auto expected = reference::layer_norm(x, width, weight, bias, 1e-5).y.to_vector<double>();
        for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)}) {
          const LayerNormResult r = layer_norm(layout, width, weight, bias);
          CHECK(worst_error(r.y, expected) <= tolerance);
          CHECK(r.y.dtype() == dtype);
          CHECK(r.rstd.dtype() == acc_dtype(dtype));
          CHECK(r.mean.shape() == Shape(shape.begin(), shape.rank() - 1));
        }
      }
    }
}

TEST_CASE("layer_norm: several normalised dims count as one") {
  const Tensor x = random_tensor({4, 3, 5}), w = random_tensor({3, 5}, 2);
  const Tensor flat = x.view_as({4, 15}, {15, 1}, 0), flat_w = w.view_as({15}, {1}, 0);
  CHECK((bits_of(layer_norm(x, {3, 5}, w).y) == bits_of(layer_norm(flat, {15}, flat_w).y)));
}

TEST_CASE("layer_norm: a mean of a million with a spread of one keeps its digits") {
  // E[x^2] - E[x]^2 in float would have no correct digit here: 1e12 has an ulp of 65536. The mean itself is a float,
  // right to half an ulp of 1e6 (0.03) against a spread of 1.15.
  Tensor x = random_tensor({1, 512}, 4, DType::f32);
  x.add_(scalar(1e6));
  CHECK(worst_error(layer_norm(x, {512}).y, reference::layer_norm(x, {512}, {}, {}, 1e-5).y.to_vector<double>()) <=
        0.03);
  CHECK(worst_error(layer_norm(x, {512}).rstd, {layer_norm(x.to(DType::f64), {512}).rstd.item()}) <= 1e-3);
}

TEST_CASE("layer_norm, rms_norm: gradients agree with their formulas") {
  const Tensor x = random_tensor({5, 3, 7}, 1), g = random_tensor({5, 3, 7}, 2), w = random_tensor({3, 7}, 3);
  const Shape width = {3, 7};
  const LayerNormGrads d = layer_norm_backward(g, x, layer_norm(x, width, w), w, width, {true, true, true});
  const LayerNormGrads right = reference::layer_norm_backward(g, x, width, w, 1e-5);
  CHECK(worst_error(d.x, right.x.to_vector<double>()) <= 1e-13);
  CHECK(worst_error(d.weight, right.weight.to_vector<double>()) <= 1e-13);
  CHECK(worst_error(d.bias, right.bias.to_vector<double>()) <= 1e-13);
  const RmsNormGrads e = rms_norm_backward(g, x, rms_norm(x, width, w, 1e-5), w, width, {true, true});
  const RmsNormGrads expected = reference::rms_norm_backward(g, x, width, w, 1e-5);
  CHECK(worst_error(e.x, expected.x.to_vector<double>()) <= 1e-13);
  CHECK(worst_error(e.weight, expected.weight.to_vector<double>()) <= 1e-13);
}

TEST_CASE("layer_norm: empty input and rows of one element") {
  CHECK(layer_norm(zeros({0, 4}), {4}).y.shape() == Shape{0, 4});
  CHECK(std::isnan(layer_norm(zeros({2, 0}), {0}).mean.to_vector<double>()[0]));
  CHECK(layer_norm(full({3, 1}, 9), {1}).y.to_vector<double>() == std::vector<double>{0, 0, 0});
}

TEST_CASE("layer_norm: the number of threads does not change the bits, forward or backward") {
  const Tensor x = random_tensor({900, 128}, 1, DType::f32), g = random_tensor({900, 128}, 2, DType::f32);
  const Tensor w = random_tensor({128}, 3, DType::f32);
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const LayerNormResult r = layer_norm(x, {128}, w, w);
    const LayerNormGrads grads = layer_norm_backward(g, x, r, w, {128}, {.x = true, .weight = true, .bias = true});
    const std::string bits = bits_of(r.y) + bits_of(grads.x) + bits_of(grads.weight) + bits_of(grads.bias);
    if (first.empty()) first = bits;
    CHECK((bits == first));
  }
  set_num_threads(2);
}

TEST_CASE("layer_norm: error texts") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { layer_norm(x, {2}); }) == "layer_norm: input must end in normalized_shape ([2]); f32[2, 3]");
  CHECK(message_of([&] { layer_norm(x, {}); }) == "layer_norm: input must end in normalized_shape ([]); f32[2, 3]");
  CHECK(message_of([&] { layer_norm(x, {3}, zeros({2})); }) == "layer_norm: weight must be [3]; f32[2]");
  CHECK(message_of([&] { layer_norm(x, {3}, {}, zeros({3}, DType::f64)); }) ==
        "layer_norm: bias must have the input's dtype (f32); f64[3]");
  CHECK(message_of([&] { layer_norm(x, {3}, {}, {}, -1); }) == "layer_norm: eps must not be negative (-1); f32[2, 3]");
  CHECK(message_of([&] { layer_norm(zeros({2}, DType::i32), {2}); }) == "layer_norm: input must be floating; i32[2]");
}
