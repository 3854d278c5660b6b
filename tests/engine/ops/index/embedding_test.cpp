#include "engine/ops/index/embedding.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("embedding: picks rows, for all dtypes, both index types and any layout") {
  const Tensor weight = from_vector<float>({0, 1, 10, 11, 20, 21}, {3, 2});
  const Tensor indices = from_vector<int64_t>({2, 0, 2, 1}, {2, 2});
  const std::vector<int64_t> expected{20, 21, 0, 1, 20, 21, 10, 11};
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8}) {
    const Tensor y = embedding(indices, weight.to(dtype));
    CHECK(y.shape() == Shape{2, 2, 2});
    CHECK(y.dtype() == dtype);
    CHECK(y.to_vector<int64_t>() == expected);
  }
  CHECK(embedding(indices.to(DType::i32), weight).to_vector<int64_t>() == expected);
  CHECK(
      embedding(transpose(transpose(indices, 0, 1).contiguous(), 0, 1), reversed_memory(weight)).to_vector<int64_t>() ==
      expected);
  CHECK(embedding(scalar(1, DType::i64), weight).to_vector<int64_t>() == std::vector<int64_t>{10, 11});
  CHECK(embedding(empty({0, 3}, DType::i64), weight).shape() == Shape{0, 3, 2});
  CHECK(embedding(indices, empty({3, 0})).shape() == Shape{2, 2, 0});
}

TEST_CASE("embedding: the gradient adds repeated rows up and leaves the others zero") {
  const Tensor grad = from_vector<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor indices = from_vector<int64_t>({2, 0, 2}, {3});
  CHECK(embedding_backward(grad, indices, 4).to_vector<int64_t>() == std::vector<int64_t>{3, 4, 0, 0, 6, 8, 0, 0});
  CHECK(embedding_backward(transpose(transpose(grad, 0, 1).contiguous(), 0, 1), indices, 4).to_vector<int64_t>() ==
        std::vector<int64_t>{3, 4, 0, 0, 6, 8, 0, 0});
  // 512 halves in bf16: a 16-bit sum would stop at 128.
  const Tensor many = full({512, 1}, 0.5, DType::bf16);
  const Tensor sum = embedding_backward(many, zeros({512}, DType::i64), 1);
  CHECK(sum.dtype() == DType::bf16);
  CHECK(sum.item() == 256);
  CHECK(embedding_backward(empty({0, 2}), empty({0}, DType::i64), 2).to_vector<double>() == std::vector<double>(4, 0));
}

TEST_CASE("embedding: an index outside the table is named before anything is read") {
  const Tensor weight = ones({10, 4});
  CHECK_THROWS_WITH_AS(embedding(from_vector<int64_t>({1, 2, 3, 12}, {2, 2}), weight),
                       "embedding: indices must be in [0, 10) (element 3 is 12); indices i64[2, 2]", IndexError);
  CHECK_THROWS_WITH_AS(embedding(from_vector<int32_t>({-1}, {1}), weight),
                       "embedding: indices must be in [0, 10) (element 0 is -1); indices i32[1]", IndexError);
  CHECK_THROWS_WITH_AS(embedding(ones({2}), weight), "embedding: indices must be i64 or i32; f32[2]", DTypeError);
  CHECK_THROWS_WITH_AS(embedding(zeros({2}, DType::i64), ones({3})), "embedding: weight must be [V, D]; f32[3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(embedding_backward(ones({2, 2}), zeros({3}, DType::i64), 4),
                       "embedding_backward: grad must be indices' shape + [D]; f32[2, 2] and i64[3]", ShapeError);
}

TEST_CASE("embedding: same bits for every number of threads") {
  const Tensor weight = random_tensor({50, 300}, 1, DType::f32), grad = random_tensor({4000, 300}, 2, DType::f32);
  Tensor indices = empty({4000}, DType::i64);
  for (int64_t i = 0; i < 4000; ++i) indices.mutable_data<int64_t>()[i] = i * i % 47;
  auto all = [&] { return bits_of(embedding(indices, weight)) + bits_of(embedding_backward(grad, indices, 50)); };
  const int before = num_threads();
  set_num_threads(1);
  const std::string single = all();
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    CHECK(all() == single);
  }
  set_num_threads(before);
}
