#include "engine/ops/layout/cat.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("cat: known values along either dimension") {
  const Tensor a = from_vector<float>({1, 2, 3, 4}, {2, 2}), b = from_vector<float>({5, 6}, {2, 1});
  CHECK(cat({a, b}, 1).to_vector<int64_t>() == std::vector<int64_t>{1, 2, 5, 3, 4, 6});
  CHECK(cat({a, transpose(b, 0, 1)}, -2).to_vector<int64_t>() == std::vector<int64_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("cat: channels-last pictures give a channels-last picture, whatever the others' order") {
  const Tensor a = random_tensor({2, 3, 4, 5}, 1), b = random_tensor({2, 3, 4, 5}, 2);
  for (int64_t dim = 0; dim < 4; ++dim)
    for (const Tensor& second : {channels_last(b), b, with_gaps(b)}) {
      const Tensor joined = cat({channels_last(a), second, channels_last(a)}, dim);
      CHECK(joined.is_channels_last());
      CHECK(bits_of(joined) == bits_of(cat({a, b, a}, dim)));
      CHECK(cat({a, second}, dim).is_contiguous());
    }
  const Tensor none = channels_last(random_tensor({2, 0, 4, 5}));
  CHECK(bits_of(cat({channels_last(a), none}, 1)) == bits_of(a));
}

TEST_CASE("cat: every part comes back as a slice, for all dtypes and layouts") {
  for (const DType dtype :
       {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8, DType::boolean})
    for (int64_t dim = 0; dim < 3; ++dim) {
      std::vector<Tensor> parts;
      for (int64_t size : {3, 0, 1, 4}) {
        Shape shape{2, 3, 4};
        shape[dim] = size;
        const Tensor part =
            random_tensor(shape, uint64_t(size) + 1).to(dtype == DType::u8 ? DType::i32 : dtype).to(dtype);
        parts.push_back(size == 3 ? reversed_memory(part) : size == 1 ? with_gaps(part) : part);
      }
      const Tensor joined = cat(parts, dim);
      CHECK(joined.dtype() == dtype);
      int64_t start = 0;
      for (const Tensor& part : parts) {
        const int64_t end = start + part.shape()[dim];
        CHECK(bits_of(slice(joined, dim, start, end)) == bits_of(part));
        start = end;
      }
    }
}

TEST_CASE("stack: adds a dimension") {
  const Tensor a = from_vector<float>({1, 2}, {2}), b = from_vector<float>({3, 4}, {2});
  CHECK(stack({a, b}, 0).to_vector<int64_t>() == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(stack({a, b}, 1).to_vector<int64_t>() == std::vector<int64_t>{1, 3, 2, 4});
  CHECK(stack({a, b}, -1).shape() == Shape{2, 2});
  CHECK(stack({scalar(1), scalar(2)}, 0).to_vector<int64_t>() == std::vector<int64_t>{1, 2});
}

TEST_CASE("cat: errors name the parts") {
  const Tensor a = ones({2, 3});
  CHECK_THROWS_WITH_AS(cat(std::span<const Tensor>(), 0), "cat: at least one part is needed (0)", ShapeError);
  CHECK_THROWS_WITH_AS(cat({a, ones({2, 4})}, 0), "cat: sizes must agree but for dim 0; f32[2, 3] and f32[2, 4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(cat({a, ones({3})}, 0), "cat: sizes must agree but for dim 0; f32[2, 3] and f32[3]", ShapeError);
  CHECK_THROWS_WITH_AS(cat({a, ones({2, 3}, DType::f64)}, 0), "cat: parts must have one dtype; f32[2, 3] and f64[2, 3]",
                       DTypeError);
  CHECK_THROWS_WITH_AS(cat({scalar(1)}, 0), "cat: parts must have a dimension; f32[]", ShapeError);
  CHECK_THROWS_WITH_AS(cat({a}, 2), "cat: dim must be in [-2, 1] (2)", IndexError);
  CHECK_THROWS_WITH_AS(stack({a, ones({3, 2})}, 0), "stack: shapes must agree; f32[2, 3] and f32[3, 2]", ShapeError);
}

TEST_CASE("cat: same bits for every number of threads") {
  const Tensor a = random_tensor({3000, 70}, 1, DType::f32), b = random_tensor({3000, 33}, 2, DType::f32);
  const int before = num_threads();
  set_num_threads(1);
  const std::string single = bits_of(cat({a, b}, 1));
  for (int threads : {2, 3, 8}) {
    set_num_threads(threads);
    CHECK(bits_of(cat({a, b}, 1)) == single);
  }
  set_num_threads(before);
}
