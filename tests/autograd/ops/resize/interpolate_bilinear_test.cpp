#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/resize.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Inputs1 = const std::vector<Variable>&;

}  // namespace

TEST_CASE("interpolate_bilinear: gradients agree with differences, larger and smaller, for any memory layout") {
  const Tensor base = random_tensor({2, 3, 5, 4}, 1);
  for (const Tensor& x : {base, reversed_memory(base), with_gaps(base)})
    for (const auto& [height, width] : {std::pair{7, 9}, {2, 3}, {5, 4}, {1, 11}})
      CHECK(worst_gradient_error([h = height, w = width](Inputs1 in) { return interpolate_bilinear(in[0], h, w); },
                                 {x}) < 1e-9);
  CHECK(worst_gradient_error([](Inputs1 in) { return interpolate_bilinear(in[0], 3, 2); },
                             {random_tensor({1, 1, 1, 1}, 2)}) < 1e-9);
}

TEST_CASE("interpolate_bilinear: backward is the transpose of forward") {
  const Tensor x = random_tensor({2, 2, 6, 5}, 1), g = random_tensor({2, 2, 4, 9}, 2);
  const auto inner = [](const Tensor& a, const Tensor& b) { return sum(mul(a, b)).item<double>(); };
  const Tensor back = interpolate_bilinear_backward(g, 6, 5);
  CHECK(relative_error(inner(interpolate_bilinear(x, 4, 9), g), inner(x, back)) < 1e-13);
  CHECK(bits_of(interpolate_bilinear_backward(reversed_memory(g), 6, 5)) == bits_of(back));
}

TEST_CASE("interpolate_bilinear: a 16-bit gradient is summed in f32 and rounded once, the same for any threads") {
  const Tensor g = random_tensor({3, 2, 8, 8}, 2, DType::bf16);
  const Tensor expected = interpolate_bilinear_backward(g.to(DType::f32), 3, 3).to(DType::bf16);
  CHECK(bits_of(interpolate_bilinear_backward(g, 3, 3)) == bits_of(expected));
  const int threads = num_threads();
  for (const int count : {1, 3}) {
    set_num_threads(count);
    CHECK(bits_of(interpolate_bilinear_backward(g, 3, 3)) == bits_of(expected));
  }
  set_num_threads(threads);
}
