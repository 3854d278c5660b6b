#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/linalg.h"
#include "engine/isa/kernels.h"
#include "engine/ops/elementwise/activate.h"
#include "engine/packed_cache.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr FusedActivation kAll[] = {FusedActivation::none, FusedActivation::relu, FusedActivation::silu,
                                    FusedActivation::gelu, FusedActivation::gelu_tanh};

std::string gradients_of(const Variable& y, const std::vector<Variable>& leaves, const Tensor& grad) {
  backward(y, {.grad = grad});
  std::string all = bits_of(y.value());
  for (const Variable& leaf : leaves)
    if (leaf.requires_grad()) all += bits_of(leaf.grad());
  return all;
}

}  // namespace

TEST_CASE("linear_act: gradients agree with differences") {
  for (const FusedActivation activation : kAll) {
    const Tensor x = random_tensor({2, 4, 3}, 1), weight = random_tensor({5, 3}, 2), bias = random_tensor({5}, 3);
    auto layer = [&](const std::vector<Variable>& in) { return linear_act(in[0], in[1], in[2], activation); };
    CHECK(worst_gradient_error(layer, {reversed_memory(x), with_gaps(weight), bias}) < 1e-8);
    auto no_bias = [&](const std::vector<Variable>& in) { return linear_act(in[0], in[1], Variable(), activation); };
    CHECK(worst_gradient_error(no_bias, {x, weight}) < 1e-8);
    auto parts = [&](const std::vector<Variable>& in) {
      return linear_act(std::span<const Variable>(in).first(2), in[2], in[3], activation);
    };
    CHECK(worst_gradient_error(parts, {slice(x, 2, 0, 1), slice(x, 2, 1, 3), weight, bias}) < 1e-8);
  }
}

TEST_CASE("linear_act: value and gradients have the bits of the two ops, whichever gradients are wanted") {
  const Tensor x = random_tensor({150, 66}, 1, DType::f32), weight = random_tensor({70, 66}, 2, DType::f32);
  const Tensor bias = random_tensor({70}, 3, DType::f32), grad = random_tensor({150, 70}, 4, DType::f32);
  for (const FusedActivation activation : kAll)
    for (int wanted = 0; wanted < 8; ++wanted) {
      auto leaf = [&](const Tensor& value, int bit) { return wanted & bit ? Variable::leaf(value) : Variable(value); };
      auto leaves = [&] { return std::vector<Variable>{leaf(x, 1), leaf(weight, 2), leaf(bias, 4)}; };
      const std::vector<Variable> fused = leaves(), apart = leaves();
      const Variable y = linear_act(fused[0], fused[1], fused[2], activation);
      const Variable z = activate(linear(apart[0], apart[1], apart[2]), activation);
      CAPTURE(wanted);
      if (wanted == 0) {
        CHECK(!y.requires_grad());
        CHECK(bits_of(y.value()) == bits_of(z.value()));
        continue;
      }
      CHECK(gradients_of(y, fused, grad) == gradients_of(z, apart, grad));
    }
}

TEST_CASE("linear_act: parts side by side have the bits of their concatenation, and frozen ones no gradient") {
  const Tensor x = random_tensor({100, 3}, 1, DType::f32), time = random_tensor({100, 32}, 2, DType::f32),
               label = random_tensor({100, 31}, 3, DType::f32), weight = random_tensor({64, 66}, 4, DType::f32),
               bias = random_tensor({64}, 5, DType::f32), grad = random_tensor({100, 64}, 6, DType::f32);
  if (kernels().gemm.tile) {  // BLAS' bits depend on how many columns it is asked for
    const FusedActivation activation = FusedActivation::silu;
    auto leaves = [&] {
      return std::vector<Variable>{Variable(x), Variable(time), Variable::leaf(label), Variable::leaf(weight),
                                   Variable::leaf(bias)};
    };
    const std::vector<Variable> fused = leaves(), apart = leaves();
    const Variable y = linear_act(std::span<const Variable>(fused).first(3), fused[3], fused[4], activation);
    const Variable z = activate(linear(cat({apart[0], apart[1], apart[2]}, 1), apart[3], apart[4]), activation);
    CHECK(gradients_of(y, fused, grad) == gradients_of(z, apart, grad));
  }
  const std::vector<Variable> frozen{Variable(x), Variable(time), Variable(label)};
  const Variable y = linear_act(frozen, Variable::leaf(weight), Variable(bias), FusedActivation::silu);
  CHECK(!y.node()->saved[1].tensor.defined());  // the weight is read only for gradients of parts
}

TEST_CASE("linear_act: works on a gradient that somebody else holds without writing to it") {
  const Variable x = Variable::leaf(random_tensor({40, 20}, 1, DType::f32)),
                 weight = Variable::leaf(random_tensor({30, 20}, 2, DType::f32)),
                 bias = Variable::leaf(random_tensor({30}, 3, DType::f32));
  const Tensor grad = random_tensor({40, 30}, 4, DType::f32);
  const std::string before = bits_of(grad);
  const Variable y = linear_act(x, weight, bias, FusedActivation::silu);
  backward(y, {.grad = grad, .retain_graph = true});
  CHECK(bits_of(grad) == before);
  const std::string once = bits_of(x.grad());
  x.node()->has_grad = false;
  // Two consumers: what the first hands on is added to, then multiplied by the derivative once.
  const Variable twice = add(y, y);
  backward(twice, {.grad = mul(grad, 0.5)});
  CHECK(bits_of(x.grad()) == once);
}

TEST_CASE("linear_act: 16-bit operands are rounded between the two ops") {
  const Variable x = Variable::leaf(random_tensor({6, 20}, 4, DType::bf16)),
                 weight = Variable::leaf(random_tensor({3, 20}, 5, DType::bf16));
  const Variable y = linear_act(x, weight, Variable(), FusedActivation::silu);
  CHECK(bits_of(y.value()) == bits_of(silu(linear(x.value(), weight.value()))));
  CHECK(y.requires_grad());
}

TEST_CASE("linear, linear_act: a weight in training leaves no packed copy behind, a frozen one does") {
  if (!kernels().gemm.tile) return;
  clear_packed_cache();
  const Variable x = Variable::leaf(random_tensor({20, 70}, 1, DType::f32)),
                 weight = Variable::leaf(random_tensor({30, 70}, 2, DType::f32));
  const std::vector<Variable> parts{slice(x, 1, 0, 7), slice(x, 1, 7, 70)};
  auto use = [&](const Variable& w) {
    for (int i = 0; i < 2; ++i) {
      linear(x, w);
      linear_act(x, w, Variable(), FusedActivation::silu);
      linear_act(parts, w, Variable(), FusedActivation::silu);
    }
  };
  use(weight);
  CHECK(packed_cache_statistics().matrices == 0);
  use(weight.detach());
  CHECK(packed_cache_statistics().matrices == 1);
  clear_packed_cache();
}
