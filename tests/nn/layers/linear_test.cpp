#include "nn/layers/linear.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "autograd/ops/reduce.h"
#include "nn/layers/activations.h"
#include "nn/layers/embedding.h"
#include "nn/layers/layer_norm.h"
#include "nn/layers/sequential.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::random_tensor;

TEST_CASE("linear: y = x W^T + b over any leading dimensions") {
  Generator generator(1);
  Linear layer(3, 2, generator, {.dtype = DType::f64});
  const Tensor x = random_tensor({4, 5, 3});
  const std::vector<double> w = layer.weight().value().to_vector<double>(),
                            b = layer.bias().value().to_vector<double>();
  const std::vector<double> in = x.to_vector<double>();
  std::vector<double> expected;
  for (size_t row = 0; row < 20; ++row)
    for (size_t o = 0; o < 2; ++o) {
      double y = b[o];
      for (size_t i = 0; i < 3; ++i) y += in[row * 3 + i] * w[o * 3 + i];
      expected.push_back(y);
    }
  const Variable y = layer.forward(x);
  CHECK(y.shape() == Shape{4, 5, 2});
  CHECK(plumb::test::worst_error(y.value(), expected) <= 1e-15);
}

TEST_CASE("linear: without bias there is one parameter") {
  Linear layer(3, 2, Init::zeros(), {.bias = false});
  CHECK(parameters(layer).size() == 1);
  CHECK(!layer.bias().defined());
}

namespace {

/// Central differences of a module's weights, which gradcheck's own leaves cannot stand for: worst relative error.
template <class F>
double worst_weight_error(const ParameterList& list, F&& loss) {
  zero_grad(list);
  backward(loss());
  double worst = 0;
  NoGrad no_grad;
  for (const NamedParameter& named : list) {
    Tensor value = named.parameter->value();
    const std::vector<double> analytic = named.parameter->grad().to_vector<double>();
    for (int64_t i = 0; i < value.numel(); ++i) {
      double& element = value.mutable_data<double>()[i];
      const double middle = element;
      element = middle + 1e-5;
      const double above = loss().value().item();
      element = middle - 1e-5;
      const double below = loss().value().item();
      element = middle;
      worst = std::max(worst, plumb::test::relative_error(analytic[size_t(i)], (above - below) / 2e-5));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("layers: a network of all of them has right gradients in every weight") {
  Generator generator(3);
  Embedding table(4, 3, generator, DType::f64);
  Sequential net;
  net.add<Linear>(3, 5, generator, LinearOptions{.dtype = DType::f64})
      .add<SiLU>()
      .add<LayerNorm>(Shape{5}, LayerNormOptions{.dtype = DType::f64})
      .add<GELU>()
      .add<Linear>(5, 2, generator, LinearOptions{.dtype = DType::f64})
      .add<Tanh>()
      .add<Sigmoid>();
  const Tensor index = from_vector<int64_t>({2, 0, 2, 1, 3}, {5});
  ParameterList list = parameters(net);
  list.push_back({"table.weight", &table.weight()});
  CHECK(list.size() == 7);
  const Tensor weights = random_tensor({5, 2}, 8);
  const double worst =
      worst_weight_error(list, [&] { return sum(mul(net.forward(table.forward(index)), Variable(weights))); });
  CHECK(worst <= 1e-9);
}

TEST_CASE("sequential: names children by position and clones them") {
  Generator generator(5);
  Sequential net;
  net.add<Linear>(2, 3, generator).add<SiLU>().add<Linear>(3, 1, generator);
  std::string names;
  for (const NamedParameter& named : parameters(net)) names += named.name + " ";
  CHECK(names == "0.weight 0.bias 2.weight 2.bias ");
  const auto copy = clone(net);
  const Tensor x = random_tensor({4, 2}, 1, DType::f32);
  const std::string before = plumb::test::bits_of(net.forward(x).value());
  for (const NamedParameter& named : parameters(net)) named.parameter->assign(zeros(named.parameter->shape()));
  CHECK(plumb::test::bits_of(copy->forward(x).value()) == before);
}
