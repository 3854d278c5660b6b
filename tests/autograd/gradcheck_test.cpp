#include "autograd/gradcheck.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/reduce.h"
#include "autograd/record.h"
#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;

namespace {

/// y = f(x) elementwise with the gradient claimed to be d(x), right or wrong.
template <class F, class D>
Variable claim(const Variable& x, F f, D d) {
  Tensor y = empty(x.shape(), DType::f64);
  for (int64_t i = 0; i < x.numel(); ++i) y.mutable_data<double>()[i] = f(x.value().data<double>()[i]);
  const Tensor kept = x.value();
  return record("claim", y, {x}, save(), [kept, d](const Saved&, const Tensor& grad, Needs) {
    Tensor g = grad.clone();
    for (int64_t i = 0; i < g.numel(); ++i) g.mutable_data<double>()[i] *= d(kept.data<double>()[i]);
    return Grads(g);
  });
}

Tensor points(std::vector<double> values) { return from_vector(values, {int64_t(values.size())}); }

auto cube = [](std::span<const Variable> in) {
  return claim(
      in[0], [](double x) { return x * x * x; }, [](double x) { return 3 * x * x; });
};

}  // namespace

TEST_CASE("gradcheck: a right gradient passes by a wide margin, over nine orders of magnitude") {
  const GradcheckResult result = gradcheck(cube, {points({-1e3, -2, -0.3, 1e-6, 0.7, 5, 1e3})});
  INFO(result.report());
  CHECK(result.passed);
  CHECK(result.inputs[0].worst_ratio < 0.1);
}

TEST_CASE("gradcheck: names the element where a gradient is wrong by one part in a thousand") {
  const auto wrong = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return x * x * x; }, [](double x) { return x == 0.7 ? 3.003 * x * x : 3 * x * x; });
  };
  const GradcheckResult result = gradcheck(wrong, {points({-2, -0.3, 0.7, 5})});
  CHECK(!result.passed);
  CHECK(result.inputs[0].mismatches == 1);
  CHECK(result.inputs[0].worst_index == 2);
  CHECK(result.report().find("input 0 [4]: 1 mismatched, 0 on a kink, 0 not finite; worst at [2]") == 0);
}

TEST_CASE("gradcheck: reports elements on and beside a kink instead of passing them") {
  // relu at 0 with gradient 1/2: both central differences agree with it, yet the function has no derivative there.
  const auto relu = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return x > 0 ? x : 0; }, [](double x) { return x > 0   ? 1.0
                                                                             : x < 0 ? 0.0
                                                                                     : 0.5; });
  };
  const GradcheckResult result = gradcheck(relu, {points({-1, 0, 1, 0.7e-4, 2})});
  INFO(result.report());
  CHECK(!result.passed);
  CHECK(result.inputs[0].kinks == 2);
  CHECK(result.inputs[0].mismatches == 0);
  CHECK(result.inputs[0].elements[0].index == 1);
  CHECK(result.inputs[0].elements[1].index == 3);
  CHECK(gradcheck(relu, {points({-1, 0, 1})}, {.allow_kinks = true}).passed);
}

TEST_CASE("gradcheck: a jump counts as a kink") {
  const auto step = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return std::floor(x); }, [](double) { return 0.0; });
  };
  CHECK(gradcheck(step, {points({0.5, 1.5})}).passed);
  CHECK(gradcheck(step, {points({0.5, 1})}).inputs[0].kinks == 1);
}

TEST_CASE("gradcheck: NaN in a gradient or a value fails") {
  const auto nan_gradient = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return x; }, [](double x) { return x == 2 ? std::nan("") : 1.0; });
  };
  const GradcheckResult result = gradcheck(nan_gradient, {points({1, 2})});
  CHECK(!result.passed);
  CHECK(result.inputs[0].nans == 1);
  const auto nan_value = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return std::sqrt(x); }, [](double) { return 1.0; });
  };
  CHECK(!gradcheck(nan_value, {points({-1})}).passed);
}

TEST_CASE("gradcheck: a forgotten term in a sum over inputs is found whatever the upstream gradient") {
  // With an upstream gradient of ones a transposed gradient would pass here; a random one tells.
  const auto transposed = [](std::span<const Variable> in) {
    return record("transposed", in[0].value().clone(), {in[0]}, save(), [](const Saved&, const Tensor& grad, Needs) {
      return Grads(grad.view_as({2, 2}, {1, 2}, grad.offset()).clone());
    });
  };
  const GradcheckResult result = gradcheck(transposed, {from_vector<double>({1, 2, 3, 4}, {2, 2})});
  CHECK(result.inputs[0].mismatches == 2);
}

TEST_CASE("gradcheck: integer inputs are constants, ignored inputs have gradient zero") {
  const auto first = [](std::span<const Variable> in) {
    return claim(
        in[0], [](double x) { return x; }, [](double) { return 1.0; });
  };
  const GradcheckResult result = gradcheck(first, {points({1, 2}), points({3}), arange(0, 3)});
  INFO(result.report());
  CHECK(result.passed);
  CHECK(!result.inputs[2].differentiable);
}

TEST_CASE("gradcheck: a function that is not repeatable fails") {
  int calls = 0;
  const auto drifting = [&](std::span<const Variable> in) {
    const double drift = 1e-3 * ++calls;
    return claim(
        in[0], [drift](double x) { return x + drift; }, [](double) { return 1.0; });
  };
  CHECK(!gradcheck(drifting, {points({1})}).repeatable);
}

TEST_CASE("gradcheck: refuses f32 and functions of nothing") {
  CHECK_THROWS_WITH_AS(gradcheck(cube, {full({2}, 1)}), "gradcheck: floating inputs must be f64; f32[2]", DTypeError);
  const auto constant = [](std::span<const Variable>) { return Variable(full({1}, 1, DType::f64)); };
  CHECK_THROWS_WITH_AS(gradcheck(constant, {points({1})}),
                       "gradcheck: the function must depend on a floating input; 1 inputs", ValueError);
}

TEST_CASE("gradcheck: takes layer sums on non-contiguous input") {
  const Tensor x = plumb::test::reversed_memory(plumb::test::random_tensor({3, 4}));
  const GradcheckResult result = gradcheck([](auto in) { return mean(in[0], {1}); }, {x});
  INFO(result.report());
  CHECK(result.passed);
}
