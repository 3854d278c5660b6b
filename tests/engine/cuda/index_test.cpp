#include <doctest/doctest.h>

#include "engine/cuda/fault.h"
#include "engine/error.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/index/check_index_kernels.h"
#include "engine/ops/index/embedding_kernels.h"
#include "engine/ops/index/gather_kernels.h"
#include "engine/ops/layout/view.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {

namespace {

using test::bits_of;

constexpr Device kDevice{DeviceType::cuda, 0};

/// Numbers below `limit`, many of them repeated.
Tensor indices_below(int64_t limit, const Shape& shape, uint64_t seed) {
  Tensor out = empty(shape, DType::i64);
  const auto values = test::random_tensor(shape, seed).to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i)
    out.mutable_data<int64_t>()[i] = int64_t((values[i] + 2) / 4 * double(limit));
  return out;
}

}  // namespace

TEST_CASE("indices on cuda: copied to dense i64 from any layout; one outside becomes 0 and is left for the host") {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{3, 50}, Shape{5000}})
    for (DType dtype : {DType::i64, DType::i32}) {
      const Tensor list = indices_below(30, shape, 3).to(dtype);
      test::in_both_orders([&] {
        for (const Tensor& each : {list, test::reversed_memory(list), test::with_gaps(list)})
          CHECK(bits_of(check_index_kernel(Cuda{}, "gather", each, 30)) == bits_of(list.to(DType::i64)));
      });
      CHECK(index_fault(kDevice)->count == 0);
    }
  Tensor list = zeros({6000}, DType::i64);
  for (const auto& [at, value] : {std::pair{2000, -1}, {2001, 8}, {4000, 7}, {5500, 9}})
    list.mutable_data<int64_t>()[at] = value;
  const Tensor checked = check_index_kernel(Cuda{}, "gather", list, 8);
  for (int64_t at : {2000, 2001, 5500}) CHECK(checked.data<int64_t>()[at] == 0);
  CHECK(checked.data<int64_t>()[4000] == 7);
  check_index_kernel(Cuda{}, "embedding", list, 8);  // the first fault stays
  CHECK(test::message_of([] { raise_index_fault(*index_fault(kDevice)); }) ==
        "gather: indices must be in [0, 8) (element 2000 is -1)");
  raise_index_fault(*index_fault(kDevice));  // told once
}

TEST_CASE("embedding on cuda: rows of any width and type; gradients add in order of occurrence") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::u8, DType::boolean})
    for (int64_t width : {1, 3, 16, 130}) {
      const Tensor weight = test::random_tensor({11, width}, 1).to(dtype), list = indices_below(11, {5, 7}, 2);
      Tensor expected = empty({5, 7, width}, dtype), actual = empty({5, 7, width}, dtype);
      embedding_kernel(Cpu{}, list, weight, expected);
      embedding_kernel(Cuda{}, list, weight, actual);
      CHECK(bits_of(actual) == bits_of(expected));
    }
  for (DType dtype : {DType::f32, DType::f64})
    for (const auto& [count, width] : {std::pair<int64_t, int64_t>{1, 1}, {67, 5}, {130, 140}, {2100, 1}}) {
      if (count > 2000 && dtype == DType::f64) continue;  // slow to emulate
      const Tensor grad = test::random_tensor({count, width}, 3, dtype), list = indices_below(13, {count}, 4);
      Tensor expected = zeros({13, width}, dtype);
      embedding_backward_kernel(Cpu{}, grad, list, expected);
      const auto check = [&, width = width] {
        Tensor actual = zeros({13, width}, dtype);
        embedding_backward_kernel(Cuda{}, grad, list, actual);
        CHECK(bits_of(actual) == bits_of(expected));
      };
      count < 100 ? test::in_both_orders(check) : check();
    }
}

TEST_CASE("gather and scatter_add on cuda: any dimension, layout and type") {
  const Shape shape{4, 6, 9};
  for (DType dtype : {DType::f32, DType::f64, DType::i64, DType::i32, DType::u8})
    for (int64_t dim = 0; dim < 3; ++dim) {
      const Tensor x = add(test::random_tensor(shape, 1), 2).to(dtype);
      const Tensor index = indices_below(shape[dim], {3, 5, 8}, 2), src = slice(x, 0, 0, 3);
      for (const Tensor& each : {x, test::reversed_memory(x), test::with_gaps(x)}) {
        Tensor expected = empty(index.shape(), dtype), actual = test::reversed_memory(empty(index.shape(), dtype));
        gather_kernel(Cpu{}, each, dim, index, expected);
        gather_kernel(Cuda{}, each, dim, index, actual);
        CHECK(bits_of(actual) == bits_of(expected));
        const Tensor from = slice(slice(each, 0, 0, 3), 1, 0, 5), cut = slice(from, 2, 0, 8);
        Tensor sums = x.clone(), expected_sums = x.clone();
        scatter_add_kernel(Cpu{}, cut, dim, index, expected_sums);
        scatter_add_kernel(Cuda{}, cut, dim, index, sums);
        CHECK(bits_of(sums) == bits_of(expected_sums));
      }
    }
}

TEST_CASE("scatter_add on cuda: long lines that meet, one list for all lines, many lines") {
  const auto check = [](const Tensor& src, int64_t dim, const Tensor& index, const Shape& shape) {
    const Tensor start = test::random_tensor(shape, 9, src.dtype());
    Tensor expected = start.clone(), actual = start.clone();
    scatter_add_kernel(Cpu{}, src, dim, index, expected);
    scatter_add_kernel(Cuda{}, src, dim, index, actual);
    CHECK(bits_of(actual) == bits_of(expected));
  };
  test::in_both_orders([&] {
    check(test::random_tensor({3, 70}, 1, DType::f32), 1, indices_below(5, {3, 70}, 2), {3, 5});
    check(test::random_tensor({70, 3}, 1, DType::f32), 0, indices_below(5, {70, 3}, 2), {5, 3});
  });
  const Tensor list = reshape(indices_below(6, {40}, 5), {1, 40, 1});
  check(test::random_tensor({3, 40, 50}, 1), 1, expand(list, {3, 40, 50}), {3, 6, 50});
  check(test::reversed_memory(test::random_tensor({40, 1100}, 1)), 0, indices_below(2, {40, 1100}, 5), {2, 1100});
  check(test::random_tensor({2100}, 1, DType::f32), 0, indices_below(4, {2100}, 5), {4});
}

}  // namespace plumb
