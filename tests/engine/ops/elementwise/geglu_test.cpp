#include "engine/ops/elementwise/geglu.h"

#include <doctest/doctest.h>

#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("geglu: the first half times gelu of the second, for every layout, width and dtype") {
  for (const Shape& shape : {Shape{2}, Shape{3, 2}, Shape{2, 5, 34}, Shape{7, 2560}})
    for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
      const Tensor x = random_tensor(shape, 1, dtype);
      const int64_t half = shape.back() / 2;
      const Tensor wide = x.to(acc_dtype(dtype));
      const Tensor expected = mul(slice(wide, -1, 0, half), gelu(slice(wide, -1, half, 2 * half))).to(dtype);
      CHECK((bits_of(geglu(x)) == bits_of(expected)));
      CHECK((bits_of(geglu(reversed_memory(x))) == bits_of(expected)));
      CHECK((bits_of(geglu(with_gaps(x))) == bits_of(expected)));
      CHECK(geglu(x).dtype() == dtype);
    }
  CHECK(geglu(zeros({0, 4})).shape() == Shape{0, 2});
  CHECK(geglu(zeros({3, 0})).shape() == Shape{3, 0});
}

TEST_CASE("geglu: the number of threads does not change the bits, forward or backward") {
  const int before = num_threads();
  const Tensor x = random_tensor({300, 640}, 1, DType::f32), g = random_tensor({300, 320}, 2, DType::f32);
  const std::string forward = bits_of(geglu(x)), backward = bits_of(geglu_backward(g, x));
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    CHECK((bits_of(geglu(x)) == forward));
    CHECK((bits_of(geglu_backward(g, x)) == backward));
  }
  set_num_threads(before);
}

TEST_CASE("geglu: what it refuses") {
  CHECK(message_of([] { geglu(zeros({2, 3})); }) == "geglu: the last dimension must be even; f32[2, 3]");
  CHECK(message_of([] { geglu(zeros({})); }) == "geglu: the last dimension must be even; f32[]");
  CHECK(message_of([] { geglu(zeros({2}, DType::i64)); }) == "geglu: input must be floating; i64[2]");
}
