#include <doctest/doctest.h>

#include "autograd/ops/resize.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("pool, resize and shuffle: gradients agree with differences for any memory layout") {
  using Inputs = const std::vector<Variable>&;
  const Tensor base = random_tensor({2, 4, 4, 6}, 1);
  for (const Tensor& x : {base, reversed_memory(base), with_gaps(base)}) {
    CHECK(worst_gradient_error([](Inputs in) { return avg_pool2d(in[0], {{3, 2}, {2, 1}, {1, 1}}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs in) { return upsample_nearest(in[0], 2); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs in) { return interpolate_nearest(in[0], {3, 8}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs in) { return interpolate_area(in[0], {3, 8}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs in) { return pixel_shuffle(in[0], 2); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs in) { return pixel_unshuffle(in[0], 2); }, {x}) < 1e-9);
  }
}
