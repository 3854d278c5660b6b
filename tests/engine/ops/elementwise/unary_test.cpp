#include "engine/ops/elementwise/unary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  const char* name;
  Tensor (*op)(const Tensor&);
  double (*reference)(double);
  bool positive = false;  // defined for x > 0 only
};

const Case kCases[] = {
    {"abs", abs, [](double x) { return std::fabs(x); }},
    {"neg", neg, [](double x) { return 0 - x; }},
    {"exp", exp, [](double x) { return std::pow(2.718281828459045, x); }},
    {"expm1", expm1, [](double x) { return 2 * std::exp(x / 2) * std::sinh(x / 2); }},
    {"log", log, [](double x) { return std::log2(x) * 0.6931471805599453; }, true},
    {"log1p", log1p, [](double x) { return 2 * std::atanh(x / (2 + x)); }, true},
    {"sqrt", sqrt, [](double x) { return std::pow(x, 0.5); }, true},
    {"rsqrt", rsqrt, [](double x) { return std::pow(x, -0.5); }, true},
    {"reciprocal", reciprocal, [](double x) { return std::pow(x, -1); }},
    {"square", square, [](double x) { return std::pow(x, 2); }},
    {"sin", sin, [](double x) { return 2 * std::sin(x / 2) * std::cos(x / 2); }},
    {"cos", cos, [](double x) { return 1 - 2 * std::pow(std::sin(x / 2), 2); }},
    {"tanh", tanh, [](double x) { return std::sinh(x) / std::cosh(x); }},
    {"sigmoid", sigmoid, [](double x) { return 0.5 + 0.5 * std::tanh(x / 2); }},
    {"logsigmoid", logsigmoid, [](double x) { return -std::log(1 + std::exp(-x)); }},
    {"softplus", softplus, [](double x) { return std::log(1 + std::exp(x)); }},
    {"relu", relu, [](double x) { return (x + std::fabs(x)) / 2; }},
    {"silu", silu, [](double x) { return x * (0.5 + 0.5 * std::tanh(x / 2)); }},
    {"gelu", [](const Tensor& x) { return gelu(x); },
     [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }},
    {"gelu tanh", [](const Tensor& x) { return gelu(x, GeluForm::tanh); },
     [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
    {"erf", erf, [](double x) { return 1 - std::erfc(x); }},
    {"sign", sign, [](double x) { return x / std::fabs(x); }},
    {"floor", floor, [](double x) { return -std::ceil(-x); }},
    {"ceil", ceil, [](double x) { return -std::floor(-x); }},
    {"round", round, [](double x) { return double(std::lrint(x)); }},
};

std::vector<double> expected(const Case& c, const Tensor& x) {
  std::vector<double> values = x.to_vector<double>();
  for (double& value : values) value = c.reference(value);
  return values;
}

double at(Tensor (*op)(const Tensor&), double x, DType dtype = DType::f32) { return op(scalar(x, dtype)).item(); }

}  // namespace

TEST_CASE("unary ops: agree with an independent formula in every floating type and layout") {
  for (const Case& c : kCases)
    for (const Shape& shape :
         {Shape{}, Shape{1}, Shape{7}, Shape{3, 5, 2}, Shape{2, 3, 4, 5}, Shape{0, 3}, Shape{1201}}) {
      CAPTURE(c.name);
      Tensor x = random_tensor(shape, 3);
      if (c.positive) x = add(abs(x), 0.01);
      CHECK(worst_error(c.op(x), expected(c, x)) <= 1e-12);
      const Tensor narrow = x.to(DType::f32);
      for (const Tensor& layout : {narrow, reversed_memory(narrow), with_gaps(narrow)})
        CHECK(worst_error(c.op(layout), expected(c, narrow)) <= 1e-6);
      const Tensor bf16 = x.to(DType::bf16), f16 = x.to(DType::f16);
      CHECK(c.op(bf16).dtype() == DType::bf16);
      CHECK(worst_error(c.op(bf16), expected(c, bf16)) <= 0x1p-8);  // half a unit of 8 bits
      CHECK(worst_error(c.op(f16), expected(c, f16)) <= 0x1p-11);
    }
}

TEST_CASE("unary ops: extremes behave as in PyTorch") {
  for (DType dtype : {DType::f32, DType::f64}) {
    CHECK(at(softplus, 1e6, dtype) == 1e6);
    CHECK(at(softplus, -1e6, dtype) == 0);
    CHECK(at(softplus, kInf, dtype) == kInf);
    CHECK(at(logsigmoid, -1e6, dtype) == -1e6);
    CHECK(at(logsigmoid, 1e6, dtype) == 0);
    CHECK(at(logsigmoid, -kInf, dtype) == -kInf);
    CHECK(at(sigmoid, -1e6, dtype) == 0);
    CHECK(at(sigmoid, kInf, dtype) == 1);
    CHECK(at(tanh, -1e6, dtype) == -1);
    CHECK(at(tanh, kInf, dtype) == 1);
    CHECK(at(silu, 1e6, dtype) == 1e6);
    CHECK(at(silu, -1e6, dtype) == 0);
    CHECK(at(erf, -1e6, dtype) == -1);
    CHECK(gelu(scalar(1e6, dtype)).item() == 1e6);
    CHECK(gelu(scalar(-1e6, dtype)).item() == 0);
    CHECK(gelu(scalar(-1e6, dtype), GeluForm::tanh).item() == 0);
    CHECK(at(log, 0, dtype) == -kInf);
    CHECK(std::isnan(at(log, -1, dtype)));
    CHECK(at(log1p, -1, dtype) == -kInf);
    CHECK(at(sign, kNan, dtype) == 0);
    for (auto op : {relu, exp, tanh, sigmoid, silu, softplus, logsigmoid, abs, erf, sin, floor})
      CHECK(std::isnan(at(op, kNan, dtype)));
    const Tensor big = from_vector<double>({1e6, -1e6}, {2}).to(dtype), one = ones({2}, dtype);
    CHECK(silu_backward(one, big).to_vector<double>() == std::vector<double>{1, 0});
    CHECK(gelu_backward(one, big).to_vector<double>() == std::vector<double>{1, 0});
    CHECK(gelu_backward(one, big, GeluForm::tanh).to_vector<double>() == std::vector<double>{1, 0});
    CHECK(softplus_backward(one, big).to_vector<double>() == std::vector<double>{1, 0});
    CHECK(logsigmoid_backward(one, big).to_vector<double>() == std::vector<double>{0, 1});
  }
}

TEST_CASE("sin, cos: large arguments are reduced exactly, whatever stands beside them") {
  const std::vector<float> x = {1.0f, 1e7f, -3e9f, 1e30f, 0.5f};
  const Tensor s = sin(from_vector(x, {5})), c = cos(from_vector(x, {5}));
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(std::abs(s.to_vector<double>()[i] - std::sin(double(x[i]))) <= 1e-7);
    CHECK(std::abs(c.to_vector<double>()[i] - std::cos(double(x[i]))) <= 1e-7);
  }
  CHECK(s.to_vector<float>()[0] == sin(from_vector<float>({1.0f}, {1})).item<float>());
  const Tensor g = sin_backward(ones({5}), from_vector(x, {5}));
  CHECK(g.to_vector<float>() == c.to_vector<float>());
}

TEST_CASE("unary ops: integers where they make sense, predicates of every type") {
  const Tensor i = from_vector<int64_t>({-3, 0, 5}, {3});
  CHECK(abs(i).to_vector<int64_t>() == std::vector<int64_t>{3, 0, 5});
  CHECK(neg(i).to_vector<int64_t>() == std::vector<int64_t>{3, 0, -5});
  CHECK(square(i.to(DType::i32)).dtype() == DType::i32);
  CHECK(relu(i).to_vector<int64_t>() == std::vector<int64_t>{0, 0, 5});
  CHECK(sign(i).to_vector<int64_t>() == std::vector<int64_t>{-1, 0, 1});
  CHECK(neg(from_vector<uint8_t>({1, 0}, {2})).to_vector<uint8_t>() == std::vector<uint8_t>{255, 0});
  CHECK(logical_not(i).dtype() == DType::boolean);
  CHECK(logical_not(i).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 0});
  CHECK(logical_not(i.to(DType::boolean)).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 0});
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    const Tensor x = from_vector<double>({1, kNan, kInf, -kInf}, {4}).to(dtype);
    CHECK(isnan(x).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 0, 0});
    CHECK(isfinite(x).to_vector<int64_t>() == std::vector<int64_t>{1, 0, 0, 0});
  }
  CHECK(isnan(i).to_vector<int64_t>() == std::vector<int64_t>{0, 0, 0});
}

TEST_CASE("unary ops: channels-last input gives channels-last output") {
  const Tensor x = random_tensor({2, 3, 4, 5}, 4, DType::f32);
  const Tensor last = empty({2, 4, 5, 3}).view_as({2, 3, 4, 5}, {60, 1, 15, 3}, 0);
  Tensor(last).copy_(x);
  CHECK(silu(last).is_channels_last());
  CHECK(bits_of(silu(last)) == bits_of(silu(x)));
  CHECK(bits_of(silu_backward(last, x)) == bits_of(silu_backward(x, x)));
}

TEST_CASE("silu_with_derivative: the bits of silu and of its backward, whatever the layout") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Tensor& x :
         {random_tensor({0, 3}, 1, dtype), random_tensor({1}, 2, dtype), random_tensor({37, 45}, 3, dtype),
          with_gaps(random_tensor({5, 7}, 4, dtype)), full({3}, 1e6, dtype), full({3}, -1e6, dtype)}) {
      Tensor derivative;
      const Tensor y = silu_with_derivative(x, derivative);
      CHECK(bits_of(y) == bits_of(silu(x)));
      CHECK(bits_of(derivative) == bits_of(silu_backward(full(x.shape(), 1, dtype), x)));
    }
  Tensor derivative;
  CHECK_THROWS_WITH_AS(silu_with_derivative(zeros({2}, DType::bf16), derivative),
                       "silu_with_derivative: takes f32 or f64; bf16[2]", DTypeError);
}

TEST_CASE("unary ops: same bits for 1, 2, 3 and 8 threads") {
  const Tensor x = random_tensor({150001}, 5, DType::f32);
  const int before = num_threads();
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::string bits = bits_of(silu(x)) + bits_of(tanh(with_gaps(x)));
    if (first.empty()) first = bits;
    CHECK(bits == first);
  }
  set_num_threads(before);
}

TEST_CASE("unary ops: reject what they do not take") {
  CHECK_THROWS_WITH_AS(exp(zeros({2}, DType::i64)), "exp: takes floating tensors, convert with to(); i64[2]",
                       DTypeError);
  CHECK_THROWS_WITH_AS(neg(zeros({2}, DType::boolean)), "neg: does not take bool; bool[2]", DTypeError);
  CHECK_THROWS_WITH_AS(silu(Tensor()), "silu: operand must be defined", ValueError);
  CHECK_THROWS_WITH_AS(silu_backward(zeros({2}), zeros({3})),
                       "silu_backward: operands must have one shape; f32[2] and f32[3]", ShapeError);
  CHECK_THROWS_WITH_AS(silu_backward(zeros({2}), zeros({2}, DType::f64)),
                       "silu_backward: operands must have one dtype; f32[2] and f64[2]", DTypeError);
}
