// Against diffusers (tests/golden/make_unet_cases.py). Weights come from the seed, as there.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "nn/state_dict.h"
#include "nn/unet/unet2d_config.h"
#include "nn/unet/unet2d_model.h"
#include "tests/support/golden.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// sin(1.7 i + phase).
std::vector<double> wave(int64_t count, size_t phase) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::sin(1.7 * double(i) + double(phase)));
  return values;
}

/// Moves what starts at a constant; see the script.
void perturb(UNet2DModel& model) {
  const ParameterList list = parameters(model);
  for (size_t i = 0; i < list.size(); ++i) {
    const Parameter& parameter = *list[i].parameter;
    const bool is_table = list[i].name == "class_embedding.weight";
    if (parameter.shape().rank() > 1 && !is_table) continue;
    std::vector<double> values = parameter.value().to_vector<double>();
    const std::vector<double> moves = wave(parameter.numel(), i);
    for (size_t k = 0; k < values.size(); ++k) values[k] = 0.2 * moves[k] + (is_table ? 0 : values[k]);
    list[i].parameter->assign(from_vector(values, parameter.shape()));
  }
}

/// |got - expected| / |expected|, norms over all elements.
double relative_error(const Tensor& got, const Tensor& expected) {
  const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) difference += (a[i] - b[i]) * (a[i] - b[i]), size += b[i] * b[i];
  return std::sqrt(difference) / std::sqrt(size);
}

/// Norm and product with the wave of a gradient, beside the two expected numbers: the larger error over the norm. A
/// gradient that is zero but for rounding (a bias in front of a normalisation over the same channels) counts against
/// the largest of the model.
double gradient_error(const Tensor& grad, size_t index, const double* expected, double largest) {
  const std::vector<double> g = grad.to_vector<double>(), w = wave(grad.numel(), index);
  double norm = 0, product = 0;
  for (size_t i = 0; i < g.size(); ++i) norm += g[i] * g[i], product += g[i] * w[i];
  const double scale = std::max(expected[0], 1e-3 * largest);
  return std::max(std::abs(std::sqrt(norm) - expected[0]), std::abs(product - expected[1])) / scale;
}

struct Run {
  Variable y;
  Tensor grad_x;
};

Run train_step(UNet2DModel& model, const Golden& golden, const Json& entry) {
  const Variable x = Variable::leaf(golden.tensor(entry, "x"));
  UNet2DInputs inputs;
  if (model.options().has_classes()) inputs.class_labels = golden.tensor(entry, "labels");
  Variable y = model.forward(x, golden.tensor(entry, "t"), inputs);
  backward(mse(y, golden.tensor(entry, "target")));
  return {y, x.grad()};
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  const bool is_double = name.ends_with("f64");
  Generator generator(uint64_t(entry.at("seed").as_integer()));
  UNet2DModel model(unet2d_options(entry.at("options")), generator);
  model.set_gradient_checkpointing(checkpointing);
  if (is_double) to_dtype(model, DType::f64);
  perturb(model);
  const ParameterList list = parameters(model);
  CHECK(count(list) == entry.at("parameters").as_integer());

  const Run run = train_step(model, golden, entry);
  CHECK(run.y.value().is_contiguous());
  CHECK(relative_error(run.y.value(), golden.tensor(entry, "y")) <= (is_double ? 1e-10 : 1e-5));
  CHECK(relative_error(run.grad_x, golden.tensor(entry, "grad_x")) <= (is_double ? 1e-10 : 1e-4));
  const std::vector<double> numbers = golden.tensor(entry, "grads").to_vector<double>();
  REQUIRE(numbers.size() == 2 * list.size());
  double largest = 0;
  for (size_t i = 0; i < list.size(); ++i) largest = std::max(largest, numbers[2 * i]);
  for (size_t i = 0; i < list.size(); ++i) {
    CAPTURE(list[i].name);
    CHECK(gradient_error(list[i].parameter->grad(), i, &numbers[2 * i], largest) <= (is_double ? 1e-10 : 1e-4));
  }
  for (const auto& [parameter, expected] : golden.tensors(name + ".grad.")) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.name == parameter; });
    REQUIRE(found != list.end());
    const double tolerance = (is_double ? 1e-10 : 1e-4) * largest;
    CHECK(disagreement(found->parameter->grad(), expected, {tolerance, is_double ? 1e-10 : 1e-4}) == "");
  }
}

}  // namespace

TEST_CASE("UNet2DModel: names, order and shapes of the weights are diffusers'") {
  const Golden golden("unet");
  for (const Json& entry : golden.cases()) {
    const Json& expected = entry.at("state");
    if (expected.size() == 0) continue;  // written once for both types
    CAPTURE(entry.at("case").as_string());
    UNet2DModel model(unet2d_options(entry.at("options")), Init::zeros());
    const StateDict state = state_dict(model);
    REQUIRE(state.size() == expected.size());
    for (size_t i = 0; i < state.size(); ++i) {
      CHECK(state[i].name == expected[i][0].as_string());
      Shape shape;
      for (const Json& size : expected[i][1].as_array()) shape.push_back(size.as_integer());
      CHECK(state[i].tensor.shape() == shape);
    }
  }
}

TEST_CASE("UNet2DModel: output and gradients of a training step agree with diffusers") {
  const Golden golden("unet");
  REQUIRE(golden.cases().size() == 12);
  for (const Json& entry : golden.cases())
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}
