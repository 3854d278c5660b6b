#include "engine/tensor.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/allocator.h"
#include "engine/error.h"
#include "engine/format.h"
#include "engine/ops/layout/view.h"

using namespace plumb;

namespace {

Tensor counted(const Shape& shape) {
  Tensor x = empty(shape);
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] = float(i);
  return x;
}

Tensor transposed(const Tensor& x) {
  return x.view_as({x.size(1), x.size(0)}, {x.strides()[1], x.strides()[0]}, x.offset());
}

}  // namespace

TEST_CASE("tensor: copies share, clones do not") {
  Tensor a = full({2, 3}, 1);
  Tensor shared = a, own = a.clone();
  a.fill_(5);
  CHECK(shared.to_vector<float>()[0] == 5);
  CHECK(own.to_vector<float>()[0] == 1);
}

TEST_CASE("tensor: strided views read and write through") {
  Tensor x = counted({3, 4});
  Tensor t = transposed(x);
  CHECK(!t.is_contiguous());
  CHECK(t.to_vector<float>() == std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  Tensor column = x.view_as({3}, {4}, 1);
  column.fill_(-1);
  CHECK(x.to_vector<float>() == std::vector<float>{0, -1, 2, 3, 4, -1, 6, 7, 8, -1, 10, 11});
  column.copy_(counted({3}));
  CHECK(x.data<float>()[9] == 2);
}

TEST_CASE("tensor: copies between memory orders, for every size of element and sizes that leave remainders") {
  for (const DType dtype : {DType::u8, DType::bf16, DType::f32, DType::f64})
    for (const Shape& shape :
         {Shape{2, 3, 4, 5}, {1, 33, 17, 1}, {3, 16, 1, 32}, {2, 70, 9, 5}, {5, 4, 3, 4}, {0, 8, 8, 8}})
      for (const Dims& order : {Dims{0, 2, 3, 1}, {3, 1, 2, 0}, {3, 2, 1, 0}, {1, 0, 3, 2}}) {
        Tensor x = empty(shape, dtype);
        for (int64_t i = 0; i < x.numel() * size_of(dtype); ++i)
          static_cast<uint8_t*>(x.raw_mutable_data())[i] = uint8_t(1 + i * 7 % 61);
        const Tensor view = permute(x, order);
        const Tensor copy = view.contiguous();
        const std::vector<double> got = copy.to_vector<double>();
        std::vector<double> expected;  // one element at a time
        for (int64_t i = 0; i < copy.numel(); ++i) {
          int64_t rest = i;
          Tensor element = view;
          Dims index = Dims::filled(4, 0);
          for (int64_t d = 3; d >= 0; --d) index[d] = rest % copy.shape()[d], rest /= copy.shape()[d];
          for (int64_t d = 0; d < 4; ++d) element = select(element, 0, index[d]);
          expected.push_back(element.item());
        }
        CHECK(got == expected);
      }
}

TEST_CASE("tensor: copy_ broadcasts and converts, and refuses what does not fit") {
  Tensor x = empty({2, 3}, DType::f64);
  x.copy_(from_vector<int32_t>({7, 8, 9}, {3}));
  CHECK(x.to_vector<double>() == std::vector<double>{7, 8, 9, 7, 8, 9});
  CHECK_THROWS_WITH_AS(x.copy_(zeros({2, 2})), "copy_: shapes do not broadcast; [2, 3] and [2, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(x.copy_(zeros({4, 2, 3})),
                       "copy_: source must broadcast to the target's shape; f32[4, 2, 3] into f64[2, 3]", ShapeError);
}

TEST_CASE("tensor: conversions round once, truncate to integers, test for zero to bool") {
  const Tensor x = from_vector<double>({1.9, -1.9, 0, 1.0 + 1.0 / 512}, {4});
  CHECK(x.to(DType::i64).to_vector<int64_t>() == std::vector<int64_t>{1, -1, 0, 1});
  CHECK(x.to(DType::boolean).to(DType::i32).to_vector<int32_t>() == std::vector<int32_t>{1, 1, 0, 1});
  CHECK(x.to(DType::bf16).to_vector<double>()[3] == 1.0);  // halfway, to even
  CHECK(x.to(DType::f64).is_same(x));
}

TEST_CASE("tensor: add_ and mul_ accumulate across types") {
  Tensor sum = full({2, 2}, 1);
  sum.add_(from_vector<double>({1, 2}, {2}), 0.5);
  CHECK(sum.to_vector<float>() == std::vector<float>{1.5f, 2, 1.5f, 2});
  sum.mul_(2);
  CHECK(sum.to_vector<float>()[0] == 3);
  Tensor ints = zeros({2}, DType::i64);
  CHECK_THROWS_AS(ints.mul_(2), DTypeError);
  CHECK_THROWS_AS(ints.add_(ints), DTypeError);
}

TEST_CASE("tensor: in-place writes bump the version, through any view") {
  Tensor x = zeros({4});
  const uint32_t before = x.version();
  Tensor part = x.view_as({2}, {1}, 2);
  part.fill_(1);
  CHECK(x.version() == before + 1);
}

TEST_CASE("tensor: scalars, empty tensors and sizes of one") {
  CHECK(scalar(3).item() == 3);
  CHECK(scalar(3).shape().rank() == 0);
  CHECK(full({1, 1}, 4).item<int64_t>() == 4);
  CHECK_THROWS_WITH_AS(zeros({2}).item(), "item: tensor must have one element; f32[2]", ShapeError);
  Tensor none = empty({0, 3});
  CHECK(none.numel() == 0);
  CHECK(none.clone().to_vector<float>().empty());
  none.fill_(1).add_(none);
  CHECK_THROWS_AS(empty({-1}), ShapeError);
}

TEST_CASE("tensor: arange as NumPy") {
  CHECK(arange(0, 5).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 2, 3, 4});
  CHECK(arange(1, 0, -0.25, DType::f32).to_vector<float>() == std::vector<float>{1, 0.75f, 0.5f, 0.25f});
  CHECK(arange(2, 2).numel() == 0);
  CHECK_THROWS_AS(arange(0, 1, 0), ValueError);
  CHECK_THROWS_AS(arange(0, 1, -1), ValueError);
}

TEST_CASE("tensor: channels-last is recognised, and size-1 dimensions count as both orders") {
  const Tensor x = zeros({2, 3, 4, 5});
  CHECK(!x.is_channels_last());
  const Tensor nhwc = x.view_as({2, 3, 4, 5}, {60, 1, 15, 3}, 0);
  CHECK(nhwc.is_channels_last());
  CHECK(!nhwc.is_contiguous());
  CHECK(empty_like(nhwc).is_channels_last());
  CHECK(zeros({2, 1, 4, 5}).is_channels_last());
  CHECK(zeros({2, 3, 1, 1}).is_channels_last());
  Tensor copy = empty_like(nhwc);
  copy.copy_(counted({2, 3, 4, 5}));
  CHECK(copy.to_vector<float>() == counted({2, 3, 4, 5}).to_vector<float>());
}

TEST_CASE("tensor: formatting names type and shape, never values") {
  CHECK(to_string(zeros({2, 3})) == "f32[2, 3]");
  CHECK(to_string(Tensor()) == "undefined");
  CHECK(to_string(scalar(1, DType::boolean)) == "bool[]");
}

TEST_CASE("allocator: a freed block is used again and the statistics say so") {
  { const Tensor warm = empty({1000}); }
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 100; ++i) {
    const Tensor x = empty({1000});
    CHECK(allocator_statistics().allocated_bytes >= before.allocated_bytes + 4000);
  }
  const AllocatorStatistics after = allocator_statistics();
  CHECK(after.allocated_bytes == before.allocated_bytes);
  CHECK(after.system_requests == before.system_requests);
  CHECK(after.requests == before.requests + 100);
}

TEST_CASE("allocator: peak memory follows the largest use since the reset") {
  reset_peak_memory();
  const int64_t start = allocator_statistics().allocated_bytes;
  { const Tensor big = empty({1 << 20}); }
  const int64_t peak = allocator_statistics().peak_allocated_bytes - start;
  CHECK(peak >= 4 << 20);
  CHECK(peak <= (4 << 20) * 5 / 4 + 4096);
}

TEST_CASE("allocator: an impossible request is refused by name, and the allocator still works") {
  CHECK_THROWS_AS(empty({int64_t(1) << 55}), MemoryError);
  CHECK(full({3}, 2).to_vector<float>()[2] == 2);
}

TEST_CASE("allocator: memory is aligned to 64 bytes") {
  for (int64_t n : {1, 3, 17, 1000, 100000, 1000000})
    CHECK(reinterpret_cast<uintptr_t>(empty({n}, DType::u8).raw_data()) % 64 == 0);
}

TEST_CASE("storage: a wrapped buffer is released once, when the last tensor lets go") {
  static int released = 0;
  float values[4] = {1, 2, 3, 4};
  {
    Tensor view;
    {
      const Tensor whole = Tensor::over(Storage::wrap(
                                            values, sizeof values, [](void*) { ++released; }, nullptr),
                                        DType::f32, {4}, {1}, 0);
      view = whole.view_as({2}, {1}, 2);
    }
    CHECK(released == 0);
    CHECK(view.to_vector<float>() == std::vector<float>{3, 4});
  }
  CHECK(released == 1);
}
