#include <doctest/doctest.h>

#include "engine/ops/copy/copy_kernels.h"
#include "engine/ops/layout/view.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16,
                            DType::i64, DType::i32, DType::u8,   DType::boolean};

/// Values every type takes without overflow, some of which need rounding.
Tensor values(const Shape& shape, DType dtype) {
  Tensor x = test::random_tensor(shape, 3);
  x.mul_(30);
  x.add_(scalar(61, DType::f64));
  return x.to(dtype);
}

}  // namespace

TEST_CASE("copy on cuda: every pair of types, strided, broadcast and with odd sizes, has the CPU's bits") {
  for (DType from : kTypes)
    for (DType to : kTypes) {
      CAPTURE(name_of(from));
      CAPTURE(name_of(to));
      const Tensor x = values({3, 1, 7, 5}, from);
      for (const Tensor& source : {x, test::reversed_memory(x), test::with_gaps(x)}) {
        Tensor expected = zeros({3, 4, 7, 5}, to), actual = test::channels_last(zeros({3, 4, 7, 5}, to));
        copy_kernel(Cpu{}, source, expected);
        copy_kernel(Cuda{}, source, actual);
        CHECK(bits_of(actual) == bits_of(expected));
      }
    }
}

TEST_CASE("copy on cuda: dense copies, single elements and more elements than a grid has threads") {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 3, 1}, Shape{1031, 1033}}) {
    const Tensor x = test::random_tensor(shape).to(DType::f32);
    Tensor same = zeros(shape), narrow = zeros(shape, DType::bf16);
    copy_kernel(Cuda{}, x, same);
    CHECK(bits_of(same) == bits_of(x));
    copy_kernel(Cuda{}, x, narrow);
    CHECK(bits_of(narrow) == bits_of(x.to(DType::bf16)));
  }
}

TEST_CASE("fill_, add_ and mul_ on cuda have the CPU's bits") {
  for (DType dtype : kTypes) {
    CAPTURE(name_of(dtype));
    for (double value : {0.0, -0.0, 1.0, 2.7}) {
      Tensor expected = test::with_gaps(values({5, 7}, dtype)), actual = test::with_gaps(values({5, 7}, dtype));
      fill_kernel(Cpu{}, expected, value);
      fill_kernel(Cuda{}, actual, value);
      CHECK(bits_of(actual) == bits_of(expected));
      Tensor dense = values({5, 7}, dtype);
      fill_kernel(Cuda{}, dense, value);
      CHECK(bits_of(dense) == bits_of(expected));
    }
    if (!is_floating(dtype)) continue;
    for (DType other : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
      Tensor expected = test::with_gaps(values({5, 7}, dtype)), actual = test::with_gaps(values({5, 7}, dtype));
      const Tensor row = test::random_tensor({7}, 8, other);
      accumulate_kernel(Cpu{}, row, 0.3, expected);
      accumulate_kernel(Cuda{}, row, 0.3, actual);
      scale_kernel(Cpu{}, 1.7, expected);
      scale_kernel(Cuda{}, 1.7, actual);
      CHECK(bits_of(actual) == bits_of(expected));
    }
  }
}

}  // namespace plumb
