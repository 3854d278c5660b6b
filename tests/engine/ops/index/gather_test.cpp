#include "engine/ops/index/gather.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/error.h"
#include "engine/ops/index/index_select.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Indices below `limit`, with repeats.
Tensor random_indices(const Shape& shape, int64_t limit) {
  Tensor index = empty(shape, DType::i64);
  for (int64_t i = 0; i < index.numel(); ++i) index.mutable_data<int64_t>()[i] = (i * i + 3 * i) % limit;
  return index;
}

int64_t flat(const Shape& shape, const Dims& index) {
  int64_t at = 0;
  for (int64_t d = 0; d < shape.rank(); ++d) at = at * shape[d] + index[d];
  return at;
}

/// Calls f with every position of `shape` in row-major order.
template <class F>
void for_each_position(const Shape& shape, F&& f) {
  Dims position = shape;
  for (int64_t i = 0; i < numel(shape); ++i) {
    int64_t rest = i;
    for (int64_t d = shape.rank() - 1; d >= 0; --d) {
      position[d] = rest % shape[d];
      rest /= shape[d];
    }
    f(position, size_t(i));
  }
}

}  // namespace

TEST_CASE("gather and scatter_add: known values") {
  const Tensor x = from_vector<float>({1, 2, 3, 4}, {2, 2});
  const Tensor index = from_vector<int64_t>({0, 0, 1, 0}, {2, 2});
  CHECK(gather(x, 1, index).to_vector<int64_t>() == std::vector<int64_t>{1, 1, 4, 3});
  CHECK(gather(x, 0, index).to_vector<int64_t>() == std::vector<int64_t>{1, 2, 3, 2});
  CHECK(scatter_add(x, 0, index, ones({2, 2})).to_vector<int64_t>() == std::vector<int64_t>{2, 4, 4, 4});
  CHECK(x.to_vector<int64_t>() == std::vector<int64_t>{1, 2, 3, 4});
}

TEST_CASE("gather and scatter_add: agree with the definition along every dimension") {
  const Shape whole{3, 4, 5};
  for (int64_t dim = -3; dim < 3; ++dim)
    for (const Shape& part : {Shape{3, 4, 5}, Shape{2, 4, 3}, Shape{1, 1, 1}}) {
      Shape shape = part;
      const int64_t d = dim < 0 ? dim + 3 : dim;
      shape[d] = 7;  // along dim the index may be longer than x
      const Tensor x = random_tensor(whole, 1), index = random_indices(shape, whole[d]);
      const Tensor src = random_tensor(shape, 2);
      const std::vector<double> values = x.to_vector<double>(), added = src.to_vector<double>();
      const std::vector<int64_t> positions = index.to_vector<int64_t>();
      std::vector<double> gathered, scattered = values;
      for_each_position(shape, [&](Dims at, size_t i) {
        at[d] = positions[i];
        gathered.push_back(values[size_t(flat(whole, at))]);
        scattered[size_t(flat(whole, at))] += added[i];
      });
      for (const Tensor& view : {x, reversed_memory(x), with_gaps(x)}) {
        CHECK(worst_error(gather(view, dim, index), gathered) <= 0);
        CHECK(worst_error(scatter_add(view, dim, index, reversed_memory(src)), scattered) < 1e-14);
        CHECK(worst_error(gather(view, dim, reversed_memory(index.to(DType::i32))), gathered) <= 0);
      }
    }
}

TEST_CASE("gather and scatter_add: dtypes, 0-d and empty") {
  const Tensor index = from_vector<int64_t>({1, 1, 0}, {3});
  for (DType dtype : {DType::f32, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8}) {
    const Tensor x = from_vector<float>({3, 4}, {2}).to(dtype);
    CHECK(gather(x, 0, index).dtype() == dtype);
    CHECK(gather(x, 0, index).to_vector<int64_t>() == std::vector<int64_t>{4, 4, 3});
    CHECK(scatter_add(x, 0, index, ones({3}, dtype)).to_vector<int64_t>() == std::vector<int64_t>{4, 6});
  }
  // 512 halves onto bf16 zeros: a 16-bit sum would stop at 128.
  CHECK(scatter_add(zeros({1}, DType::bf16), 0, zeros({512}, DType::i64), full({512}, 0.5, DType::bf16)).item() == 256);
  CHECK(gather(scalar(5), 0, scalar(0, DType::i64)).shape() == Shape{});
  CHECK(scatter_add(scalar(5), 0, scalar(0, DType::i64), scalar(2)).item() == 7);
  CHECK(gather(ones({2, 3}), 1, empty({2, 0}, DType::i64)).shape() == Shape{2, 0});
  CHECK(scatter_add(ones({2}), 0, empty({0}, DType::i64), empty({0})).to_vector<double>() == std::vector<double>(2, 1));
}

TEST_CASE("index_select: agrees with stacking the selected parts") {
  const Tensor x = random_tensor({3, 4, 5}, 1);
  for (int64_t dim = 0; dim < 3; ++dim) {
    const Tensor index = from_vector<int64_t>({2, 0, 2, 1, 1}, {5});
    for (const Tensor& view : {x, reversed_memory(x), with_gaps(x)}) {
      const Tensor y = index_select(view, dim, index);
      for (int64_t i = 0; i < 5; ++i)
        CHECK(bits_of(select(y, dim, i)) == bits_of(select(x, dim, index.to_vector<int64_t>()[size_t(i)])));
    }
    Shape shape = x.shape();
    shape[dim] = 5;
    const Tensor grad = random_tensor(shape, 2), back = index_select_backward(grad, x.shape(), dim, index);
    for (int64_t i = 0; i < 3; ++i) {
      std::vector<double> sum(size_t(x.numel() / x.shape()[dim]), 0);
      for (int64_t j = 0; j < 5; ++j) {
        if (index.to_vector<int64_t>()[size_t(j)] != i) continue;
        const std::vector<double> part = select(grad, dim, j).to_vector<double>();
        for (size_t e = 0; e < sum.size(); ++e) sum[e] += part[e];
      }
      CHECK(worst_error(select(back, dim, i), sum) < 1e-15);
    }
  }
  CHECK(index_select(x, 1, empty({0}, DType::i64)).shape() == Shape{3, 0, 5});
  CHECK(index_select(x, 1, scalar(3, DType::i64)).shape() == Shape{3, 1, 5});
}

TEST_CASE("gather, scatter_add and index_select: errors") {
  const Tensor x = ones({2, 3});
  CHECK_THROWS_WITH_AS(gather(x, 1, full({2, 2}, 3, DType::i64)),
                       "gather: indices must be in [0, 3) (element 0 is 3); indices i64[2, 2]", IndexError);
  CHECK_THROWS_WITH_AS(gather(x, 1, zeros({3, 1}, DType::i64)),
                       "gather: index must have the tensor's rank and be no larger; index i64[3, 1], tensor f32[2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, 1, zeros({2}, DType::i64)),
                       "gather: index must have the tensor's rank and be no larger; index i64[2], tensor f32[2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, 2, zeros({2, 1}, DType::i64)), "gather: dim must be in [-2, 1] (2)", IndexError);
  CHECK_THROWS_WITH_AS(gather(x, 1, zeros({2, 1})), "gather: indices must be i64 or i32; f32[2, 1]", DTypeError);
  CHECK_THROWS_WITH_AS(scatter_add(x, 0, full({1, 3}, -1, DType::i64), ones({1, 3})),
                       "scatter_add: indices must be in [0, 2) (element 0 is -1); indices i64[1, 3]", IndexError);
  CHECK_THROWS_WITH_AS(
      scatter_add(x, 0, zeros({2, 3}, DType::i64), ones({1, 3})),
      "scatter_add: index must have the tensor's rank and be no larger; index i64[2, 3], tensor f32[1, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(scatter_add(x, 0, zeros({1, 3}, DType::i64), ones({1, 3}, DType::f64)),
                       "scatter_add: operands must have one numeric dtype; f32[2, 3] and f64[1, 3]", DTypeError);
  CHECK_THROWS_WITH_AS(index_select(x, 0, full({1}, 2, DType::i64)),
                       "index_select: indices must be in [0, 2) (element 0 is 2); indices i64[1]", IndexError);
  CHECK_THROWS_WITH_AS(index_select(x, 0, zeros({1, 1}, DType::i64)), "index_select: index must be a list; i64[1, 1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(index_select(scalar(1), 0, zeros({1}, DType::i64)),
                       "index_select: tensor must have a dimension; f32[]", ShapeError);
}

TEST_CASE("gather and scatter_add: same bits for every number of threads") {
  const Tensor x = random_tensor({40, 60000}, 1, DType::f32), src = random_tensor({90, 60000}, 2, DType::f32);
  const Tensor index = random_indices({90, 60000}, 40);
  auto all = [&] { return bits_of(gather(x, 0, index)) + bits_of(scatter_add(x, 0, index, src)); };
  const int before = num_threads();
  set_num_threads(1);
  const std::string single = all();
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    CHECK(all() == single);
  }
  set_num_threads(before);
}
