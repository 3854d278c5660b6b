#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "engine/ops/elementwise/compare.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

// Central differences with step 1e-5: 1e-10 times a third derivative (tens, for rsqrt and reciprocal near 0.3), plus
// 1e-11 of rounding.
constexpr double kTolerance = 2e-8;

struct Case {
  const char* name;
  Variable (*op)(const Variable&);
};

const Case kSmooth[] = {
    {"neg", neg},
    {"exp", exp},
    {"expm1", expm1},
    {"square", square},
    {"sin", sin},
    {"cos", cos},
    {"tanh", tanh},
    {"sigmoid", sigmoid},
    {"logsigmoid", logsigmoid},
    {"softplus", softplus},
    {"silu", silu},
    {"erf", erf},
    {"gelu", [](const Variable& x) { return gelu(x); }},
    {"gelu tanh", [](const Variable& x) { return gelu(x, GeluForm::tanh); }},
    {"-x", [](const Variable& x) { return -x; }},
    {"x + 2", [](const Variable& x) { return x + 2; }},
    {"2 + x", [](const Variable& x) { return 2 + x; }},
    {"x - 2", [](const Variable& x) { return x - 2; }},
    {"2 - x", [](const Variable& x) { return 2 - x; }},
    {"x * 3", [](const Variable& x) { return x * 3; }},
    {"3 * x", [](const Variable& x) { return 3 * x; }},
    {"x / 3", [](const Variable& x) { return x / 3; }},
    {"pow 2", [](const Variable& x) { return pow(x, 2); }},
    {"pow 3", [](const Variable& x) { return pow(x, 3); }},
    {"pow 1", [](const Variable& x) { return pow(x, 1); }},
    {"pow 0", [](const Variable& x) { return pow(x, 0); }},
};
// Kinks and steps: tried at random points, which keep 1e-5 away from 0 and the integers.
const Case kKinked[] = {
    {"abs", abs},
    {"relu", relu},
    {"sign", sign},
    {"floor", floor},
    {"ceil", ceil},
    {"round", round},
    {"clamp", [](const Variable& x) { return clamp(x, {.min = -0.7, .max = 0.9}); }},
    {"maximum 0.3", [](const Variable& x) { return maximum(x, 0.3); }},
    {"minimum 0.3", [](const Variable& x) { return minimum(x, 0.3); }},
};
const Case kPositive[] = {
    {"log", log},
    {"log1p", log1p},
    {"sqrt", sqrt},
    {"rsqrt", rsqrt},
    {"reciprocal", reciprocal},
    {"3 / x", [](const Variable& x) { return 3 / x; }},
    {"pow 2.5", [](const Variable& x) { return pow(x, 2.5); }},
    {"pow -1", [](const Variable& x) { return pow(x, -1); }},
    {"pow 0.5", [](const Variable& x) { return pow(x, 0.5); }},
};

Tensor positive(const Shape& shape, uint64_t seed) { return abs(random_tensor(shape, seed)) + 0.5; }

double worst(const Case& c, const Tensor& x) {
  return worst_gradient_error([&](const auto& v) { return c.op(v[0]); }, {x});
}

}  // namespace

TEST_CASE("elementwise: gradients of one operand agree with differences") {
  for (const Case& c : kSmooth) {
    CAPTURE(c.name);
    for (const Tensor& x : {random_tensor({3, 4}), random_tensor({}, 2), reversed_memory(random_tensor({2, 3, 2}))})
      CHECK(worst(c, x) <= kTolerance);
  }
  for (const Case& c : kKinked) {
    CAPTURE(c.name);
    CHECK(worst(c, random_tensor({3, 4})) <= kTolerance);
  }
  for (const Case& c : kPositive) {
    CAPTURE(c.name);
    CHECK(worst(c, positive({3, 4}, 1)) <= kTolerance);
  }
}

TEST_CASE("elementwise: gradients of two operands agree with differences on broadcast shapes") {
  struct Two {
    const char* name;
    Variable (*op)(const Variable&, const Variable&);
  };
  const Two ops[] = {
      {"add", add},
      {"sub", sub},
      {"mul", mul},
      {"div", div},
      {"pow", pow},
      {"maximum", maximum},
      {"minimum", minimum},
      {"add_scaled", [](const Variable& a, const Variable& b) { return add_scaled(a, b, 0.3); }},
      {"operators", [](const Variable& a, const Variable& b) { return (a + b) * (a - b) / b; }},
      {"where", [](const Variable& a, const Variable& b) { return where(gt(a.value(), b.value()), a * a, b); }},
  };
  const std::pair<Shape, Shape> shapes[] = {
      {{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{3, 1}, {3, 4}}, {{3, 1}, {1, 4}}, {{}, {2, 3}}, {{2, 1, 3}, {4, 1}}, {{1}, {}},
  };
  for (const Two& two : ops)
    for (const auto& [left, right] : shapes) {
      CAPTURE(two.name);
      CHECK(worst_gradient_error([&](const auto& v) { return two.op(v[0], v[1]); },
                                 {positive(left, 3), positive(right, 4)}) <= kTolerance);
    }
}

TEST_CASE("where: gradient with a number on one side") {
  const Tensor x = random_tensor({3, 4}), condition = gt(x, 0);
  CHECK(worst_gradient_error([&](const auto& v) { return where(condition, v[0], 2.0); }, {x}) <= kTolerance);
  CHECK(worst_gradient_error([&](const auto& v) { return where(condition, 2.0, v[0]); }, {x}) <= kTolerance);
  CHECK(worst_gradient_error([&](const auto& v) { return where(condition, 2.0, v[0]); }, {random_tensor({4}, 2)}) <=
        kTolerance);
}

TEST_CASE("maximum: equal operands share the gradient") {
  const Variable a = Variable::leaf(full({2}, 3)), b = Variable::leaf(full({2}, 3));
  backward(maximum(a, b), {.grad = ones({2})});
  CHECK(a.grad().to_vector<float>() == std::vector<float>{0.5f, 0.5f});
  CHECK(b.grad().to_vector<float>() == std::vector<float>{0.5f, 0.5f});
}

TEST_CASE("pow: gradients at zero are those of PyTorch") {
  const Variable a = Variable::leaf(from_vector<double>({0, 0, 2}, {3}));
  const Variable b = Variable::leaf(from_vector<double>({0, 2, 0}, {3}));
  backward(pow(a, b), {.grad = ones({3}, DType::f64)});
  CHECK(a.grad().to_vector<double>() == std::vector<double>{0, 0, 0});
  CHECK(worst_error(b.grad(), {0, 0, 0.6931471805599453}) <= 1e-15);
}

TEST_CASE("mul: keeps only what a wanted gradient reads") {
  const Variable x = Variable::leaf(ones({2})), frozen(ones({2}));
  const Variable y = mul(x, frozen);
  CHECK(!y.node()->saved_tensors()[0].tensor.defined());
  CHECK(y.node()->saved_tensors()[1].tensor.is_same(frozen.value()));
}

TEST_CASE("elementwise: a 16-bit chain gives gradients in f32 at the leaf") {
  const Variable x = Variable::leaf(full({3}, 0.5, DType::bf16));
  backward(square(x) * 2, {.grad = ones({3}, DType::bf16)});
  CHECK(x.grad().dtype() == DType::f32);
  CHECK(x.grad().to_vector<float>() == std::vector<float>{2, 2, 2});
}
