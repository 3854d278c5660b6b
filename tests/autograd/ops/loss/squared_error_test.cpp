#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/pair_logit.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("mse, sample_error: gradients of both operands agree with differences") {
  const Tensor p = random_tensor({3, 2, 4}, 1), t = reversed_memory(random_tensor({3, 2, 4}, 2));
  // Quadratics: central differences are exact but for rounding.
  for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
    CHECK(worst_gradient_error([&](const auto& v) { return mse(v[0], v[1], reduction); }, {p, t}) <= 1e-8);
  for (Reduction reduction : {Reduction::mean, Reduction::sum})
    CHECK(worst_gradient_error([&](const auto& v) { return sample_error(v[0], v[1], reduction); }, {p, t}) <= 1e-8);
}

TEST_CASE("error_gain: gradients of all three operands, together and alone, agree with differences") {
  const Tensor p = random_tensor({3, 2, 4}, 1), r = with_gaps(random_tensor({3, 2, 4}, 2)),
               t = reversed_memory(random_tensor({3, 2, 4}, 3));
  for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
    CHECK(worst_gradient_error([&](const auto& v) { return error_gain(v[0], v[1], v[2], reduction); }, {p, r, t}) <=
          1e-8);
    CHECK(worst_gradient_error([&](const auto& v) { return error_gain(v[0], r, t, reduction); }, {p}) <= 1e-8);
    CHECK(worst_gradient_error([&](const auto& v) { return error_gain(p, v[0], t, reduction); }, {r}) <= 1e-8);
    CHECK(worst_gradient_error([&](const auto& v) { return error_gain(p, r, v[0], reduction); }, {t}) <= 1e-8);
  }
}

TEST_CASE("sample_error: a constant target gets no gradient and 16-bit input a 16-bit one") {
  const Variable p = Variable::leaf(full({2, 2}, 3, DType::bf16));
  backward(sample_error(p, full({2, 2}, 1, DType::bf16)), {.grad = from_vector<float>({1, -1}, {2})});
  CHECK(p.grad().to_vector<double>() == std::vector<double>{2, 2, -2, -2});
}

TEST_CASE("pair_logit: the logit of its errors, the gradient that differences give, and what it refuses") {
  const Tensor p = random_tensor({4, 3}, 1), r = with_gaps(random_tensor({4, 3}, 2)), t = random_tensor({4, 3}, 3);
  const PairLogitVariable made = pair_logit(Variable(p), r, t, 3, Reduction::sum);
  const Tensor gain = error_gain(p, r, t, Reduction::sum);
  CHECK(bits_of(made.gain) == bits_of(gain));
  CHECK(bits_of(made.error) == bits_of(sample_error(p, t, Reduction::sum)));
  CHECK(bits_of(made.ref_error) == bits_of(sample_error(r, t, Reduction::sum)));
  for (int64_t i = 0; i < 2; ++i)
    CHECK(made.logit.value().data<double>()[i] == (gain.data<double>()[i] - gain.data<double>()[2 + i]) * -1.5);
  for (Reduction reduction : {Reduction::mean, Reduction::sum})
    CHECK(worst_gradient_error([&](const auto& v) { return pair_logit(v[0], r, t, 3, reduction).logit; }, {p}) <= 1e-8);
  const Tensor odd = zeros({3, 2});
  CHECK(message_of([&] { pair_logit(odd, odd, odd, 1, Reduction::mean); }) ==
        "pair_logit: input must be [2B, ...]; f32[3, 2]");
}
