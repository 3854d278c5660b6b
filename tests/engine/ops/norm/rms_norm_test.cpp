#include "engine/ops/norm/rms_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/norm/norm_reference.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("rms_norm: agrees with the formula for every layout, dtype and weight") {
  for (const Shape& shape : {Shape{5, 7}, Shape{2, 3, 128}, Shape{3, 1}, Shape{40, 2500}})
    for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16})
      for (const bool weighted : {false, true}) {
        const int64_t width = shape.back();
        const Tensor x = random_tensor(shape, 1, dtype), w = random_tensor({width}, 2, dtype);
        const Tensor weight = weighted ? w : Tensor();
        const std::vector<double> v = reference::rms_norm(x, {width}, weight, 1e-5).y.to_vector<double>();
        const double tolerance = dtype == DType::f64 ? 1e-13 : dtype == DType::f32 ? 2e-6 : 8e-3;
        for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)}) {
          const RmsNormResult r = rms_norm(layout, {width}, weight, 1e-5);
          CHECK(worst_error(r.y, v) <= tolerance);
          CHECK(r.rstd.dtype() == acc_dtype(dtype));
          CHECK(r.rstd.shape() == Shape(shape.begin(), shape.rank() - 1));
        }
      }
}

TEST_CASE("rms_norm: eps is the machine epsilon unless set; empty input") {
  CHECK(worst_error(rms_norm(zeros({1, 4}), {4}).rstd, {std::pow(2.0, 11.5)}) <= 1e-7);
  CHECK(rms_norm(zeros({1, 4}, DType::f64), {4}).rstd.item() == std::pow(2.0, 26));
  CHECK(rms_norm(zeros({0, 4}), {4}).y.shape() == Shape{0, 4});
  CHECK(std::isnan(rms_norm(zeros({2, 0}), {0}).rstd.to_vector<double>()[0]));
}

TEST_CASE("rms_norm: the number of threads does not change the bits, forward or backward") {
  const int before = num_threads();
  const Tensor x = random_tensor({900, 128}, 1, DType::f32), g = random_tensor({900, 128}, 2, DType::f32);
  const Tensor w = random_tensor({128}, 3, DType::f32);
  std::string first;
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const RmsNormResult r = rms_norm(x, {128}, w);
    const RmsNormGrads grads = rms_norm_backward(g, x, r, w, {128}, {.x = true, .weight = true});
    const std::string bits = bits_of(r.y) + bits_of(grads.x) + bits_of(grads.weight);
    if (first.empty()) first = bits;
    CHECK((bits == first));
  }
  set_num_threads(before);
}

TEST_CASE("rms_norm: error texts") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of([&] { rms_norm(x, {2}); }) == "rms_norm: input must end in normalized_shape ([2]); f32[2, 3]");
  CHECK(message_of([&] { rms_norm(x, {3}, zeros({2})); }) == "rms_norm: weight must be [3]; f32[2]");
  CHECK(message_of([&] { rms_norm(x, {3}, zeros({3}, DType::f64)); }) ==
        "rms_norm: weight must have the input's dtype (f32); f64[3]");
  CHECK(message_of([&] { rms_norm(x, {3}, {}, -1); }) == "rms_norm: eps must not be negative (-1); f32[2, 3]");
  CHECK(message_of([&] { rms_norm(zeros({2}, DType::i32), {2}); }) == "rms_norm: input must be floating; i32[2]");
}
