#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/linalg.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("matmul: gradients agree with differences for every rank and broadcast") {
  struct Case {
    Shape a, b;
  };
  auto product = [](const std::vector<Variable>& in) { return matmul(in[0], in[1]); };
  for (const Case& c :
       {Case{{3}, {3}}, Case{{3}, {3, 4}}, Case{{2, 3}, {3}}, Case{{2, 3}, {3, 4}}, Case{{1, 1}, {1, 1}},
        Case{{2, 2, 3}, {3, 4}}, Case{{2, 2, 3}, {3}}, Case{{2, 3}, {2, 3, 2}}, Case{{3}, {2, 3, 2}},
        Case{{2, 2, 3}, {2, 3, 2}}, Case{{1, 2, 3}, {2, 3, 2}}, Case{{2, 1, 2, 3}, {3, 3, 2}}}) {
    const Tensor a = random_tensor(c.a, 1), b = random_tensor(c.b, 2);
    CHECK(worst_gradient_error(product, {a, b}) < 1e-8);
    CHECK(worst_gradient_error(product, {reversed_memory(a), with_gaps(b)}) < 1e-8);
  }
}

TEST_CASE("matmul: a sum over nothing has zero gradients of the right shape") {
  const Variable a = Variable::leaf(empty({2, 0})), b = Variable::leaf(empty({0, 3}));
  backward(matmul(a, b), {.grad = ones({2, 3})});
  CHECK(a.grad().shape() == Shape{2, 0});
  CHECK(b.grad().shape() == Shape{0, 3});
  const Variable none = Variable::leaf(empty({0, 4, 2})), weight = Variable::leaf(ones({2, 3}));
  backward(matmul(none, weight), {.grad = empty({0, 4, 3})});
  CHECK(weight.grad().to_vector<double>() == std::vector<double>(6, 0));
  const Variable thin = Variable::leaf(empty({4, 2, 0})), flat = Variable::leaf(empty({0, 3}));
  backward(matmul(thin, flat), {.grad = ones({4, 2, 3})});
  CHECK(thin.grad().shape() == Shape{4, 2, 0});
  CHECK(flat.grad().shape() == Shape{0, 3});
}

TEST_CASE("matmul: saves only what the wanted gradients read") {
  const Variable a = Variable::leaf(ones({2, 3})), b = Variable(ones({3, 4}));
  const Variable y = matmul(a, b);
  CHECK(!y.node()->saved[0].tensor.defined());
  CHECK(y.node()->saved[1].tensor.is_same(b.value()));
  CHECK(matmul(Tensor(ones({2, 3})), Tensor(ones({3, 4}))).shape() == Shape{2, 4});
}

TEST_CASE("linear: gradients agree with differences with and without bias") {
  for (const Shape& shape : {Shape{3}, Shape{4, 3}, Shape{2, 2, 3}, Shape{1, 3}}) {
    const Tensor x = random_tensor(shape, 1), weight = random_tensor({5, 3}, 2), bias = random_tensor({5}, 3);
    CHECK(worst_gradient_error([](const std::vector<Variable>& in) { return linear(in[0], in[1], in[2]); },
                               {reversed_memory(x), with_gaps(weight), bias}) < 1e-8);
    CHECK(worst_gradient_error([](const std::vector<Variable>& in) { return linear(in[0], in[1]); }, {x, weight}) <
          1e-8);
  }
}

TEST_CASE("linear: a frozen weight costs nothing") {
  const Variable x = Variable::leaf(random_tensor({4, 3})), weight(random_tensor({2, 3})), bias(random_tensor({2}));
  const Variable y = linear(x, weight, bias);
  CHECK(!y.node()->saved[0].tensor.defined());
  backward(y, {.grad = ones({4, 2}, DType::f64)});
  CHECK(x.grad().shape() == Shape{4, 3});
}

TEST_CASE("linear: 16-bit operands get 16-bit gradients computed in float") {
  const Tensor x = random_tensor({40, 3}, 1, DType::bf16), weight = random_tensor({2, 3}, 2, DType::bf16);
  const Tensor grad = random_tensor({40, 2}, 3, DType::bf16);
  const Tensor got = linear_backward_weight(grad, x);
  CHECK(got.dtype() == DType::bf16);
  CHECK(bits_of(got) == bits_of(linear_backward_weight(grad.to(DType::f32), x.to(DType::f32)).to(DType::bf16)));
  CHECK(linear_backward_x(grad, weight).dtype() == DType::bf16);
  CHECK(linear_backward_bias(grad).dtype() == DType::bf16);
}
