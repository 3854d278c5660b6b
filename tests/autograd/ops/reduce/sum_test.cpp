#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("sum, mean, sum_to: gradients agree with differences") {
  for (const Tensor& x : {random_tensor({3, 4, 2}), reversed_memory(random_tensor({3, 4, 2}))})
    for (const Dims& dims : {Dims{}, Dims{1}, Dims{0, -1}})
      for (bool keepdim : {false, true}) {
        // Linear functions: the difference quotient is exact up to rounding, 1e-16 / 1e-5 times a few terms.
        CHECK(worst_gradient_error([&](const auto& v) { return sum(v[0], dims, keepdim); }, {x}) <= 1e-9);
        CHECK(worst_gradient_error([&](const auto& v) { return mean(v[0], dims, keepdim); }, {x}) <= 1e-9);
      }
  for (const Shape& shape : {Shape{2}, Shape{4, 1}, Shape{1, 4, 2}, Shape{}})
    CHECK(worst_gradient_error([&](const auto& v) { return sum_to(v[0], shape); }, {random_tensor({3, 4, 2})}) <= 1e-9);
  CHECK(worst_gradient_error([](const auto& v) { return sum(v[0], {0}); }, {random_tensor({})}) <= 1e-9);
}

TEST_CASE("sum: the gradient keeps the input's 16-bit dtype on its way down") {
  const Variable x = Variable::leaf(ones({2, 3}, DType::bf16));
  backward(sum(x));
  CHECK(x.grad().to_vector<double>() == std::vector<double>(6, 1));
}
