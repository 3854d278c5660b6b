#include <doctest/doctest.h>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("rms_norm and geglu: gradients agree with differences") {
  const Tensor x = random_tensor({2, 3, 6}, 1), w = random_tensor({6}, 2);
  for (const Tensor& layout : {x, reversed_memory(x)}) {
    CHECK(worst_gradient_error([](const auto& v) { return rms_norm(v[0], {6}, v[1]); }, {layout, w}) <= 1e-7);
    CHECK(worst_gradient_error([](const auto& v) { return geglu(v[0]); }, {layout}) <= 1e-8);
  }
  CHECK(worst_gradient_error([](const auto& v) { return rms_norm(v[0], {3, 6}, {}, 0.1); }, {x}) <= 1e-7);
  // More than one block of rows, and a width that is no multiple of the lanes.
  CHECK(worst_gradient_error([](const auto& v) { return rms_norm(v[0], {19}, v[1]); },
                             {random_tensor({37, 19}, 1), random_tensor({19}, 2)}) <= 1e-7);
}
