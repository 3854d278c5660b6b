#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/norm.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("layer_norm: gradients of x, weight and bias agree with differences") {
  const Tensor x = random_tensor({2, 3, 5}, 1), w = random_tensor({5}, 2), b = random_tensor({5}, 3);
  // Third derivatives reach about 1e2 where a row's spread is small: 1e2 * 1e-10.
  for (const Tensor& layout : {x, reversed_memory(x)})
    CHECK(worst_gradient_error([](const auto& v) { return layer_norm(v[0], {5}, v[1], v[2]); }, {layout, w, b}) <=
          1e-7);
  CHECK(worst_gradient_error([](const auto& v) { return layer_norm(v[0], {3, 5}); }, {x}) <= 1e-7);
  CHECK(worst_gradient_error([](const auto& v) { return layer_norm(v[0], {5}, {}, v[1]); }, {x, b}) <= 1e-7);
  // More than one block of rows, and a width that is no multiple of the lanes.
  CHECK(worst_gradient_error([](const auto& v) { return layer_norm(v[0], {19}, v[1], v[2]); },
                             {random_tensor({37, 19}, 1), random_tensor({19}, 2), random_tensor({19}, 3)}) <= 1e-7);
}

TEST_CASE("layer_norm: a frozen input costs no gradient") {
  const Variable w = Variable::leaf(ones({4}));
  backward(layer_norm(random_tensor({3, 4}, 1, DType::f32), {4}, w), {.grad = ones({3, 4})});
  CHECK(w.grad().defined());
}
