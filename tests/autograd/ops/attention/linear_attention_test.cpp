#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/elementwise.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Inputs = const std::vector<Variable>&;

}  // namespace

TEST_CASE("linear_attention: gradients of q, k and v agree with differences, for any memory layout") {
  // Values in (-2, 2): about half of the features are zero, none is within a difference of relu's kink.
  const Tensor q = random_tensor({2, 5, 6}, 1), k = random_tensor({2, 7, 6}, 2), v = random_tensor({2, 7, 4}, 3);
  const auto run = [](Inputs in) { return linear_attention(in[0], in[1], in[2]); };
  CHECK(worst_gradient_error(run, {q, k, v}) < 1e-7);
  CHECK(worst_gradient_error(run, {reversed_memory(q), with_gaps(k), reversed_memory(v)}) < 1e-7);
  CHECK(worst_gradient_error([](Inputs in) { return linear_attention(in[0], in[0], in[0]); }, {q}) < 1e-7);
}

TEST_CASE("linear_attention: what needs no gradient gets none, and a query that sees nothing moves nothing") {
  const Variable q = Variable::leaf(full({1, 2}, -1, DType::f64)), k(ones({3, 2}, DType::f64)),
                 v = Variable::leaf(ones({3, 2}, DType::f64));
  backward(linear_attention(q, k, v), {.grad = ones({1, 2}, DType::f64)});
  CHECK(q.grad().to_vector<double>() == std::vector<double>(2, 0));
  CHECK(v.grad().to_vector<double>() == std::vector<double>(6, 0));
}

TEST_CASE("quick_gelu, mish: gradients agree with differences") {
  const Tensor x = random_tensor({3, 7}, 4);
  CHECK(worst_gradient_error([](Inputs in) { return quick_gelu(in[0]); }, {x}) < 1e-8);
  CHECK(worst_gradient_error([](Inputs in) { return mish(in[0]); }, {reversed_memory(x)}) < 1e-8);
}
