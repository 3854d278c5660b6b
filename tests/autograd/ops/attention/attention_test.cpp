#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/linalg.h"
#include "autograd/ops/softmax.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Inputs = const std::vector<Variable>&;

}  // namespace

TEST_CASE("attention: gradients of q, k and v agree with differences, for any memory layout, causal or not") {
  const Tensor q = random_tensor({2, 5, 3}, 1), k = random_tensor({2, 7, 3}, 2), v = random_tensor({2, 7, 4}, 3);
  for (const bool causal : {false, true}) {
    const auto run = [causal](Inputs in) { return attention(in[0], in[1], in[2], {.causal = causal}); };
    CHECK(worst_gradient_error(run, {q, k, v}) < 1e-8);
    CHECK(worst_gradient_error(run, {reversed_memory(q), with_gaps(k), reversed_memory(v)}) < 1e-8);
  }
  CHECK(worst_gradient_error([](Inputs in) { return attention(in[0], in[0], in[0], {.scale = -1.5}); }, {q}) < 1e-8);
}

TEST_CASE("attention: gradients past one block of queries and keys are those of matmul, softmax, matmul") {
  // Backward blocks are of 256 queries and 128 keys.
  const Tensor q = random_tensor({300, 5}, 1), k = random_tensor({270, 5}, 2), v = random_tensor({270, 3}, 3),
               g = random_tensor({300, 3}, 4);
  const auto gradients = [&](auto&& function) {
    const Variable a = Variable::leaf(q), b = Variable::leaf(k), c = Variable::leaf(v);
    backward(function(a, b, c), {.grad = g});
    return std::vector<Tensor>{a.grad(), b.grad(), c.grad()};
  };
  const auto fused = gradients([](auto&... x) { return attention(x..., {.scale = 0.5}); });
  const auto composed = gradients([](auto& a, auto& b, auto& c) {
    return matmul(softmax(mul(matmul(a, transpose(b, 0, 1)), Variable(scalar(0.5, DType::f64))), -1), c);
  });
  for (size_t i = 0; i < 3; ++i) CHECK(worst_error(fused[i], composed[i].to_vector<double>()) <= 1e-12);
}

TEST_CASE("attention: causal gradients past one block: a later key takes no part") {
  const Tensor q = random_tensor({200, 4}, 1), k = random_tensor({200, 4}, 2), v = random_tensor({200, 4}, 3);
  const Variable a = Variable::leaf(q), b = Variable::leaf(k), c = Variable::leaf(v);
  Tensor g = zeros({200, 4}, DType::f64);
  Tensor row = select(g, 0, 150);
  row.fill_(1);
  backward(attention(a, b, c, {.causal = true}), {.grad = g});
  const Tensor alone =
      attention(q.view_as({1, 4}, {4, 1}, 600), k.view_as({151, 4}, {4, 1}, 0), v.view_as({151, 4}, {4, 1}, 0)).out;
  CHECK(worst_error(attention(q, k, v, {.causal = true}).out.view_as({1, 4}, {4, 1}, 600), alone.to_vector<double>()) <=
        1e-14);
  const auto last_of = [](const Tensor& x) { return x.view_as({49, 4}, {4, 1}, 604).to_vector<double>(); };
  CHECK(last_of(b.grad()) == std::vector<double>(49 * 4, 0));
  CHECK(last_of(c.grad()) == std::vector<double>(49 * 4, 0));
  CHECK(c.grad().view_as({1}, {1}, 600).item() != 0);
}

TEST_CASE("attention: a frozen input costs no gradient") {
  const Tensor x = random_tensor({4, 3}, 1);
  const Variable q = Variable::leaf(x), k(random_tensor({5, 3}, 2)), v(random_tensor({5, 2}, 3));
  backward(attention(q, k, v), {.grad = ones({4, 2}, DType::f64)});
  CHECK(q.grad().defined());
  CHECK(!k.grad().defined());
}
