#include "engine/ops/layout/view.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Values = std::vector<int64_t>;

/// 0, 1, 2, … in row-major order: every element tells where it came from.
Tensor counting(const Shape& shape) { return reshape(arange(0, double(numel(shape))), shape); }

}  // namespace

TEST_CASE("reshape: keeps row-major order and shares memory where it can") {
  const Tensor x = counting({2, 3, 4});
  const Tensor y = reshape(x, {6, -1});
  CHECK(y.shape() == Shape{6, 4});
  CHECK(y.raw_data() == x.raw_data());
  CHECK(y.to_vector<int64_t>() == x.to_vector<int64_t>());
  CHECK(reshape(x, {1, 24, 1}).shape() == Shape{1, 24, 1});
  CHECK(reshape(counting({1}), {}).shape() == Shape{});
  CHECK(reshape(scalar(3), {1, 1}).shape() == Shape{1, 1});
}

TEST_CASE("reshape: of any strided tensor equals reshape of its contiguous copy") {
  // Strides that can be cut and merged, that can not, and ones with repeated or single dimensions.
  const Tensor base = counting({4, 6, 5});
  const Tensor row = counting({1, 6, 1});
  for (const Tensor& x :
       {base, transpose(base, 0, 2), slice(base, 0, 1, 3), slice(base, 1, 0, 6, 2), slice(base, 2, 1, 4),
        select(base, 1, 2), expand(row, {4, 6, 5}), permute(base, {1, 0, 2}), slice(base, 0, 2, 3), unsqueeze(base, 1)})
    for (const Shape& shape :
         {Shape{-1}, Shape{2, -1}, Shape{-1, 2}, Shape{1, -1, 1}, Shape{-1, 1, 2}, Shape{2, 1, -1, 2, 1}}) {
      const int64_t known = std::max<int64_t>(1, std::abs(numel(shape)));
      if (x.numel() % known) continue;
      const Tensor y = reshape(x, shape);
      CHECK(y.to_vector<int64_t>() == x.contiguous().to_vector<int64_t>());
      CHECK(y.shape() == reshape(x.contiguous(), shape).shape());
    }
  CHECK(reshape(slice(base, 0, 1, 3), {2, 30}).raw_data() == slice(base, 0, 1, 3).raw_data());
  CHECK(reshape(slice(base, 2, 0, 4), {24, 2, 2}).storage() == base.storage());
  CHECK(!(reshape(transpose(base, 0, 1), {-1}).storage() == base.storage()));
}

TEST_CASE("reshape: empty tensors") {
  CHECK(reshape(empty({0, 3}), {3, 0}).shape() == Shape{3, 0});
  CHECK(reshape(empty({0, 3}), {-1, 3}).shape() == Shape{0, 3});
  CHECK(reshape(transpose(empty({0, 3}), 0, 1), {5, 0}).shape() == Shape{5, 0});
}

TEST_CASE("reshape: errors") {
  const Tensor x = ones({2, 3});
  CHECK_THROWS_WITH_AS(reshape(x, {4}), "reshape: shape must hold 6 elements ([4]); f32[2, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(reshape(x, {-1, -1}), "reshape: only one size can be inferred ([-1, -1]); f32[2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(reshape(x, {-1, 4}),
                       "reshape: size -1 cannot be inferred, the others must divide 6 elements ([-1, 4]); f32[2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(reshape(empty({0}), {-1, 0}),
                       "reshape: size -1 cannot be inferred, the others must divide 0 elements ([-1, 0]); f32[0]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(reshape(x, {-2, 3}), "reshape: sizes must be -1 or not negative ([-2, 3]); f32[2, 3]",
                       ShapeError);
}

TEST_CASE("flatten: merges a range of dimensions") {
  const Tensor x = counting({2, 3, 4});
  CHECK(flatten(x).shape() == Shape{24});
  CHECK(flatten(x, 1).shape() == Shape{2, 12});
  CHECK(flatten(x, 0, -2).shape() == Shape{6, 4});
  CHECK(flatten(x, 1, 1).shape() == Shape{2, 3, 4});
  CHECK(flatten(scalar(1)).shape() == Shape{1});
  CHECK_THROWS_WITH_AS(flatten(x, 2, 0), "flatten: start must not come after end (start 2, end 0); i64[2, 3, 4]",
                       ShapeError);
}

TEST_CASE("permute and transpose: move dimensions without moving data") {
  const Tensor x = counting({2, 3, 2});
  const Tensor y = permute(x, {2, 0, -2});
  CHECK(y.shape() == Shape{2, 2, 3});
  CHECK(y.raw_data() == x.raw_data());
  CHECK(y.to_vector<int64_t>() == Values{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  CHECK(permute(y, inverse_permutation({2, 0, -2})).to_vector<int64_t>() == x.to_vector<int64_t>());
  CHECK(transpose(counting({2, 3}), 0, -1).to_vector<int64_t>() == Values{0, 3, 1, 4, 2, 5});
  CHECK(transpose(scalar(1), 0, -1).shape() == Shape{});
  CHECK(permute(scalar(1), {}).shape() == Shape{});
  CHECK_THROWS_WITH_AS(permute(x, {0, 1}), "permute: dims must name every dimension once ([0, 1]); i64[2, 3, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(permute(x, {0, 1, -2}),
                       "permute: dims must name every dimension once ([0, 1, -2]); i64[2, 3, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(transpose(x, 0, 3), "transpose: dim must be in [-3, 2] (3)", IndexError);
}

TEST_CASE("expand: repeats single dimensions") {
  const Tensor x = counting({2, 1});
  const Tensor y = expand(x, {3, 2, 2});
  CHECK(y.raw_data() == x.raw_data());
  CHECK(y.to_vector<int64_t>() == Values{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1});
  CHECK(expand(x, {-1, 4}).shape() == Shape{2, 4});
  CHECK(expand(x, {2, 0}).shape() == Shape{2, 0});
  CHECK(expand(scalar(2), {2, 2}).to_vector<double>() == std::vector<double>(4, 2));
  CHECK_THROWS_WITH_AS(expand(x, {3, 1}), "expand: only dimensions of size 1 can be repeated ([3, 1]); i64[2, 1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(expand(x, {2}), "expand: shape must have at least the tensor's rank ([2]); i64[2, 1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(expand(x, {-1, 2, 1}),
                       "expand: -1 may stand only where the tensor has a dimension ([-1, 2, 1]); i64[2, 1]",
                       ShapeError);
}

TEST_CASE("slice: clamps like Python") {
  const Tensor x = counting({6});
  auto take = [&](int64_t start, int64_t end, int64_t step) {
    return slice(x, 0, start, end, step).to_vector<int64_t>();
  };
  CHECK(take(1, 4, 1) == Values{1, 2, 3});
  CHECK(take(-2, kEnd, 1) == Values{4, 5});
  CHECK(take(0, -1, 2) == Values{0, 2, 4});
  CHECK(take(1, 100, 3) == Values{1, 4});
  CHECK(take(-100, 2, 1) == Values{0, 1});
  CHECK(take(4, 2, 1) == Values{});
  CHECK(take(100, 200, 1) == Values{});
  CHECK(take(5, kEnd, 9) == Values{5});
  CHECK(slice(counting({2, 3}), -1, 1, 2).to_vector<int64_t>() == Values{1, 4});
  CHECK(slice(slice(x, 0, 1), 0, 1, kEnd, 2).to_vector<int64_t>() == Values{2, 4});
  CHECK(slice(empty({0}), 0, 0, 1).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(slice(x, 0, 0, 1, 0), "slice: step must be positive (0); i64[6]", ValueError);
  CHECK_THROWS_WITH_AS(slice(x, 1, 0), "slice: dim must be in [-1, 0] (1)", IndexError);
  CHECK_THROWS_WITH_AS(slice(scalar(1), 0, 0), "slice: tensor must have a dimension; f32[]", ShapeError);
}

TEST_CASE("slice: writing to a view writes to the tensor") {
  Tensor x = zeros({3, 3});
  slice(x, 1, 0, kEnd, 2).fill_(1);
  select(x, 0, -1).fill_(2);
  CHECK(x.to_vector<int64_t>() == Values{1, 0, 1, 1, 0, 1, 2, 2, 2});
}

TEST_CASE("select, squeeze and unsqueeze: remove and add dimensions") {
  const Tensor x = counting({2, 1, 3});
  CHECK(select(x, 2, 1).shape() == Shape{2, 1});
  CHECK(select(x, 2, -1).to_vector<int64_t>() == Values{2, 5});
  CHECK(squeeze(x).shape() == Shape{2, 3});
  CHECK(squeeze(x, {0, 1}).shape() == Shape{2, 3});
  CHECK(squeeze(x, {0}).shape() == Shape{2, 1, 3});
  CHECK(squeeze(ones({1, 1})).shape() == Shape{});
  CHECK(unsqueeze(x, 0).shape() == Shape{1, 2, 1, 3});
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 1, 3, 1});
  CHECK(unsqueeze(scalar(1), 0).shape() == Shape{1});
  CHECK(unsqueeze(transpose(x, 0, 2), 1).to_vector<int64_t>() == transpose(x, 0, 2).to_vector<int64_t>());
  CHECK_THROWS_WITH_AS(select(x, 0, 2), "select: index must be in [-2, 1] (2); i64[2, 1, 3]", IndexError);
  CHECK_THROWS_WITH_AS(select(scalar(1), 0, 0), "select: tensor must have a dimension; f32[]", ShapeError);
  CHECK_THROWS_WITH_AS(unsqueeze(x, 4), "unsqueeze: dim must be in [-4, 3] (4)", IndexError);
}

TEST_CASE("view gradients: zeros with the gradient where the elements were taken") {
  const Tensor grad = from_vector<float>({1, 2}, {2});
  CHECK(slice_backward(grad, {5}, 0, {.start = 1, .end = 4, .step = 2}).to_vector<int64_t>() == Values{0, 1, 0, 2, 0});
  CHECK(select_backward(grad, {2, 3}, 1, -1).to_vector<int64_t>() == Values{0, 0, 1, 0, 0, 2});
}
