#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/layout/flip.h"
#include "engine/ops/layout/pad.h"
#include "engine/ops/layout/roll.h"
#include "engine/ops/layout/view.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Values = std::vector<int64_t>;

Tensor counting(const Shape& shape) { return reshape(arange(0, double(numel(shape))), shape); }

/// pad of a matrix by its definition: element (i, j) of the result is x at (i - top, j - left), or the value.
Values padded(const Tensor& x, const Dims& amounts, int64_t value) {
  const Values values = x.to_vector<int64_t>();
  const int64_t rows = x.shape()[0], columns = x.shape()[1];
  Values out;
  for (int64_t i = -amounts[2]; i < rows + amounts[3]; ++i)
    for (int64_t j = -amounts[0]; j < columns + amounts[1]; ++j)
      out.push_back(i >= 0 && i < rows && j >= 0 && j < columns ? values[size_t(i * columns + j)] : value);
  return out;
}

}  // namespace

TEST_CASE("flip: reverses the listed dimensions") {
  const Tensor x = counting({2, 3});
  CHECK(flip(x, {0}).to_vector<int64_t>() == Values{3, 4, 5, 0, 1, 2});
  CHECK(flip(x, {-1}).to_vector<int64_t>() == Values{2, 1, 0, 5, 4, 3});
  CHECK(flip(x, {0, 1}).to_vector<int64_t>() == Values{5, 4, 3, 2, 1, 0});
  CHECK(flip(transpose(x, 0, 1), {0}).to_vector<int64_t>() == Values{2, 5, 1, 4, 0, 3});
  CHECK(flip(expand(counting({1, 3}), {2, 3}), {0, 1}).to_vector<int64_t>() == Values{2, 1, 0, 2, 1, 0});
  CHECK(flip(x, {}).to_vector<int64_t>() == x.to_vector<int64_t>());
  CHECK(flip(empty({0, 2}), {0, 1}).shape() == Shape{0, 2});
  CHECK(flip(scalar(3), {0}).item() == 3);
  CHECK(flip(x, {0}).is_contiguous());
  CHECK_THROWS_WITH_AS(flip(x, {1, -1}), "flip: dims must differ ([1, -1]); i64[2, 3]", ValueError);
  CHECK_THROWS_WITH_AS(flip(x, {2}), "flip: dim must be in [-2, 1] (2)", IndexError);
}

TEST_CASE("roll: moves elements round the ends") {
  const Tensor x = counting({2, 3});
  CHECK(roll(x, {1}, {1}).to_vector<int64_t>() == Values{2, 0, 1, 5, 3, 4});
  CHECK(roll(x, {-1}, {-1}).to_vector<int64_t>() == Values{1, 2, 0, 4, 5, 3});
  CHECK(roll(x, {7}, {1}).to_vector<int64_t>() == roll(x, {1}, {1}).to_vector<int64_t>());
  CHECK(roll(x, {1, 1}, {0, 1}).to_vector<int64_t>() == Values{5, 3, 4, 2, 0, 1});
  CHECK(roll(x, {1}).to_vector<int64_t>() == Values{5, 0, 1, 2, 3, 4});
  CHECK(roll(transpose(x, 0, 1), {1}, {0}).to_vector<int64_t>() == Values{2, 5, 0, 3, 1, 4});
  CHECK(roll(empty({0, 2}), {1}, {0}).shape() == Shape{0, 2});
  CHECK(roll(scalar(3), {1}).item() == 3);
  CHECK(!(roll(x, {0}, {0}).storage() == x.storage()));
  CHECK_THROWS_WITH_AS(roll(x, {1, 2}, {0}),
                       "roll: shifts and dims must be as many (shifts [1, 2], dims [0]); i64[2, 3]", ShapeError);
}

TEST_CASE("pad: agrees with its definition, cropping included") {
  const Tensor x = counting({3, 4});
  for (const Dims& amounts : {Dims{1, 2, 3, 4}, Dims{0, 0, 0, 0}, Dims{-1, 1, 0, 2}, Dims{-1, -2, -1, -1},
                              Dims{-4, 2, 1, 0}, Dims{-5, 3, 1, 0}, Dims{3, -5, 0, 0}, Dims{-2, -2, 0, 0}}) {
    const Tensor y = pad(x, amounts, 9);
    CHECK(y.to_vector<int64_t>() == padded(x, amounts, 9));
    CHECK(y.is_contiguous());
    CHECK(pad(reversed_memory(x), amounts, 9).to_vector<int64_t>() == padded(x, amounts, 9));
  }
  CHECK(pad(x, {1, 1}).shape() == Shape{3, 6});
  CHECK(pad(x, {}).to_vector<int64_t>() == x.to_vector<int64_t>());
  CHECK(!(pad(x, {}).storage() == x.storage()));
  CHECK(pad(empty({0}), {1, 1}, 2).to_vector<int64_t>() == Values{2, 2});
  CHECK_THROWS_WITH_AS(pad(x, {1}), "pad: amounts must be pairs, at most one per dimension ([1]); i64[3, 4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(pad(ones({2}), {1, 1, 1, 1}),
                       "pad: amounts must be pairs, at most one per dimension ([1, 1, 1, 1]); f32[2]", ShapeError);
  CHECK_THROWS_WITH_AS(pad(x, {-3, -2}), "pad: cannot crop dim 1 to less than nothing ([-3, -2]); i64[3, 4]",
                       ShapeError);
}
