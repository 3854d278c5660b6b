#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("max, min, var, std, prod, logsumexp: gradients agree with differences") {
  const Tensor x = random_tensor({3, 4, 2}, 7);
  for (const Tensor& layout : {x, reversed_memory(x)})
    for (const Dims& dims : {Dims{}, Dims{1}, Dims{0, -1}})
      for (bool keepdim : {false, true}) {
        // Truncation 1e-10 times third derivatives of order one, and 1e-11 of rounding. No two elements of x are
        // within a step of each other, so max and min are linear here.
        CHECK(worst_gradient_error([&](const auto& v) { return max(v[0], dims, keepdim); }, {layout}) <= 1e-8);
        CHECK(worst_gradient_error([&](const auto& v) { return min(v[0], dims, keepdim); }, {layout}) <= 1e-8);
        CHECK(worst_gradient_error([&](const auto& v) { return var(v[0], dims, 1, keepdim); }, {layout}) <= 1e-8);
        CHECK(worst_gradient_error([&](const auto& v) { return stddev(v[0], dims, 0, keepdim); }, {layout}) <= 1e-8);
        CHECK(worst_gradient_error([&](const auto& v) { return prod(v[0], dims, keepdim); }, {layout}) <= 1e-7);
        CHECK(worst_gradient_error([&](const auto& v) { return logsumexp(v[0], dims, keepdim); }, {layout}) <= 1e-8);
      }
}

TEST_CASE("cumsum: gradients agree with differences") {
  for (int64_t dim : {0, 1, -1})
    CHECK(worst_gradient_error([dim](const auto& v) { return cumsum(v[0], dim); }, {random_tensor({3, 4, 2})}) <= 1e-8);
}

TEST_CASE("max, min: equal extremes share the gradient, and a NaN passes on") {
  const Variable x = Variable::leaf(from_vector<float>({2, 5, 5, 1, 1, 1}, {2, 3}));
  backward(max(x, {1}), {.grad = from_vector<float>({1, 3}, {2})});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 0.5, 0.5, 1, 1, 1});
  const Variable z = Variable::leaf(from_vector<float>({2, std::nanf("")}, {2}));
  backward(min(z));
  for (double g : z.grad().to_vector<double>()) CHECK(std::isnan(g));
}

TEST_CASE("prod: zeros receive the product of the others") {
  const Variable x = Variable::leaf(from_vector<float>({2, 0, 3, 0, 0, 5}, {2, 3}));
  backward(prod(x, {1}), {.grad = ones({2})});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 6, 0, 0, 0, 0});
}

TEST_CASE("std of equal elements and logsumexp of -inf have gradient zero") {
  const Variable x = Variable::leaf(ones({3}));
  backward(stddev(x));
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 0, 0});
  const Variable z = Variable::leaf(full({3}, -std::numeric_limits<double>::infinity()));
  backward(logsumexp(z));
  CHECK(z.grad().to_vector<double>() == std::vector<double>{0, 0, 0});
}
