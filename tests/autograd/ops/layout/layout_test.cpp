#include "autograd/ops/layout.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/linalg.h"
#include "autograd/record.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Inputs1 = const std::vector<Variable>&;

}  // namespace

TEST_CASE("layout: gradients of views agree with differences") {
  const Tensor base = random_tensor({2, 3, 4}, 1);
  for (const Tensor& x : {base, reversed_memory(base), with_gaps(base)}) {
    CHECK(worst_gradient_error([](Inputs1 in) { return reshape(in[0], {4, -1}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return flatten(in[0], 1); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return permute(in[0], {1, -1, 0}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return transpose(in[0], 0, -1); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return slice(in[0], 2, 1, kEnd, 2); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return slice(in[0], 1, -2, -1); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return select(in[0], 1, -1); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return unsqueeze(in[0], 1); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return contiguous(in[0]); }, {x}) < 1e-9);
  }
  const Tensor thin = random_tensor({2, 1, 3}, 2);
  CHECK(worst_gradient_error([](Inputs1 in) { return squeeze(in[0]); }, {thin}) < 1e-9);
  CHECK(worst_gradient_error([](Inputs1 in) { return expand(in[0], {4, 2, 5, 3}); }, {thin}) < 1e-9);
}

TEST_CASE("layout: gradients of copies agree with differences") {
  const Tensor base = random_tensor({2, 3, 4}, 1);
  for (const Tensor& x : {base, reversed_memory(base)}) {
    CHECK(worst_gradient_error([](Inputs1 in) { return flip(in[0], {0, 2}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return roll(in[0], {1, -2}, {0, 2}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return roll(in[0], {5}); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return pad(in[0], {1, 2, 0, 1}, 3); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([](Inputs1 in) { return pad(in[0], {-1, 2, 0, -2}); }, {x}) < 1e-9);
  }
}

TEST_CASE("to_channels_last: gradients agree with differences, and the way out brings gradients back into order") {
  const Tensor x = random_tensor({2, 3, 4, 5}, 1);
  CHECK(worst_gradient_error([](Inputs1 in) { return to_channels_last(in[0]); }, {x}) < 1e-9);
  CHECK(worst_gradient_error([](Inputs1 in) { return contiguous(to_channels_last(in[0])); }, {x}) < 1e-9);
  CHECK(worst_gradient_error(
            [](Inputs1 in) {
              return cat({to_channels_last(in[0]), in[1]}, 1);
            },
            {x, random_tensor({2, 2, 4, 5}, 2)}) < 1e-9);
  const Variable leaf = Variable::leaf(x);
  const Variable inside = to_channels_last(leaf);
  CHECK(inside.value().is_channels_last());
  CHECK(to_channels_last(inside).value().is_same(inside.value()));
  // The gradient that arrives inside, seen by an op that would notice its order.
  Tensor seen;
  const Variable spy =
      record("spy", inside.value(), {inside}, save(), [&seen](const Saved&, const Tensor& grad, Needs) {
        seen = grad;
        return Grads(grad);
      });
  backward(contiguous(spy), {.grad = random_tensor({2, 3, 4, 5}, 3)});
  CHECK(seen.is_channels_last());
  CHECK(leaf.grad().is_contiguous());
}

TEST_CASE("cat and stack: gradients agree with differences") {
  const Tensor a = random_tensor({2, 3}, 1), b = random_tensor({2, 1}, 2), c = random_tensor({2, 3}, 3);
  CHECK(worst_gradient_error([](Inputs1 in) { return cat(in, 1); }, {a, b, reversed_memory(c)}) < 1e-9);
  CHECK(worst_gradient_error([](Inputs1 in) { return cat({in[0], in[1]}, -2); }, {a, c}) < 1e-9);
  CHECK(worst_gradient_error([](Inputs1 in) { return stack({in[0], in[1]}, -1); }, {a, c}) < 1e-9);
  // More parts than a node holds inline, one of them twice and one a constant.
  CHECK(worst_gradient_error(
            [&](Inputs1 in) {
              return cat({in[0], in[1], Variable(c), in[0], in[1], in[0]}, 1);
            },
            {a, b}) < 1e-9);
}

TEST_CASE("cat: gradients of two leaves do not share memory") {
  const Variable a = Variable::leaf(ones({2, 1})), b = Variable::leaf(ones({2, 2}));
  backward(cat({a, b}, 1), {.grad = ones({2, 3})});
  a.grad().fill_(7);
  CHECK(b.grad().to_vector<double>() == std::vector<double>(4, 1));
}

TEST_CASE("layout: an expanded gradient flows through every view") {
  // A sum's gradient is a tensor of stride 0; products and views must read it as it is.
  const Variable x = Variable::leaf(random_tensor({3, 2}, 1)), w = Variable::leaf(random_tensor({4, 2}, 2));
  const Variable y = transpose(linear(x, w), 0, 1);
  backward(y, {.grad = expand(ones({1, 1}, DType::f64), {4, 3})});
  CHECK(worst_error(x.grad(), matmul(ones({3, 4}, DType::f64), w.value()).to_vector<double>()) < 1e-15);
}

TEST_CASE("to: casts are differentiable between floats and end the graph at integers") {
  const Variable x = Variable::leaf(ones({2, 2}, DType::f64));
  const Variable y = to(x, DType::f32);
  CHECK(y.dtype() == DType::f32);
  backward(y, {.grad = full({2, 2}, 3)});
  CHECK(x.grad().dtype() == DType::f64);
  CHECK(x.grad().to_vector<double>() == std::vector<double>(4, 3));
  CHECK(!to(x, DType::i64).requires_grad());
  CHECK(to(x, DType::f64).node() == x.node());
}
