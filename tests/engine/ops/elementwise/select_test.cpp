#include "engine/ops/elementwise/select.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops/elementwise/compare.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("where: chooses element by element over a broadcast shape, in every type") {
  const Tensor condition = from_vector<int64_t>({1, 0}, {2, 1}).to(DType::boolean);
  for (DType dtype :
       {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8, DType::boolean}) {
    const Tensor a = from_vector<int64_t>({1, 0, 1}, {3}).to(dtype), b = scalar(0, dtype);
    const Tensor out = where(condition, a, b);
    CHECK(out.dtype() == dtype);
    CHECK(out.shape() == Shape{2, 3});
    CHECK(out.to_vector<int64_t>() == std::vector<int64_t>{1, 0, 1, 0, 0, 0});
    CHECK(bits_of(where(condition, a, 0.0)) == bits_of(out));
    CHECK(where(condition, 0.0, a).to_vector<int64_t>() == std::vector<int64_t>{0, 0, 0, 1, 0, 1});
  }
}

TEST_CASE("where: the operand that was not chosen may be NaN; all 64 bits of an integer survive") {
  const Tensor x = from_vector<float>({-1, 4}, {2});
  const Tensor y = from_vector<float>({NAN, 2}, {2});
  CHECK(where(gt(x, 0), y, 7.0).to_vector<float>() == std::vector<float>{7, 2});
  const Tensor big = from_vector<int64_t>({(int64_t(1) << 62) + 1, 5}, {2});
  CHECK(where(gt(x, 0), 0.0, big).to_vector<int64_t>() == std::vector<int64_t>{(int64_t(1) << 62) + 1, 0});
}

TEST_CASE("where: rejects a condition that is not bool and operands that do not fit") {
  CHECK_THROWS_WITH_AS(where(zeros({2}), zeros({2}), zeros({2})), "where: condition must be bool; f32[2]", DTypeError);
  CHECK_THROWS_WITH_AS(where(zeros({2}, DType::boolean), zeros({2}), zeros({2}, DType::f64)),
                       "where: operands must have one dtype, convert with to(); f32[2] and f64[2]", DTypeError);
  CHECK_THROWS_WITH_AS(where(zeros({3}, DType::boolean), zeros({2}), zeros({2})),
                       "where: shapes do not broadcast; [2] and [3]", ShapeError);
}

TEST_CASE("clamp: bounds, one-sided, crossed, NaN, 16-bit and integers") {
  const Tensor x = from_vector<double>({-3, -0.5, 0.25, 2, NAN}, {5});
  for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
    const Tensor t = x.to(dtype);
    CHECK(worst_error(clamp(t, {.min = -1, .max = 1}), {-1, -0.5, 0.25, 1, NAN}) == 0);
    CHECK(worst_error(clamp(t, {.min = 0}), {0, 0, 0.25, 2, NAN}) == 0);
    CHECK(worst_error(clamp(t, {.max = 0}), {-3, -0.5, 0, 0, NAN}) == 0);
    CHECK(worst_error(clamp(t, {.min = 1, .max = 0}), {0, 0, 0, 0, NAN}) == 0);
    const Tensor edge = from_vector<double>({-1, 1, -1.5, 1.5, 0}, {5}).to(dtype);
    CHECK(worst_error(clamp_backward(full({5}, 3, dtype), edge, {.min = -1, .max = 1}), {3, 3, 0, 0, 3}) == 0);
  }
  for (DType dtype : {DType::i64, DType::i32})
    CHECK(clamp(from_vector<int64_t>({-5, 0, 9}, {3}).to(dtype), {.min = -1}).to_vector<int64_t>() ==
          std::vector<int64_t>{-1, 0, 9});
  CHECK_THROWS_WITH_AS(clamp(zeros({2}, DType::i64), {.min = 0.5}),
                       "clamp: a scalar for an integer tensor must be a whole number (0.5); i64[2]", ValueError);
}
