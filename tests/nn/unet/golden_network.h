#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/state_dict.h"
#include "nn/visitors.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

// What the tests against tests/golden/unet share. Weights come from the seed, as in make_unet_cases.py.

namespace plumb::test {

/// sin(1.7 i + phase).
inline std::vector<double> wave(int64_t count, size_t phase) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::sin(1.7 * double(i) + double(phase)));
  return values;
}

/// Moves what starts at a constant; see the script.
inline void perturb(Module& model) {
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

/// Norm and product with the wave of a gradient, beside the two expected numbers: the larger error over the norm. A
/// gradient that is zero but for rounding (a bias in front of a normalisation over the same channels) counts against
/// the largest of the model.
inline double gradient_error(const Tensor& grad, size_t index, const double* expected, double largest) {
  const std::vector<double> g = grad.to_vector<double>(), w = wave(grad.numel(), index);
  double norm = 0, product = 0;
  for (size_t i = 0; i < g.size(); ++i) norm += g[i] * g[i], product += g[i] * w[i];
  const double scale = std::max(expected[0], 1e-3 * largest);
  return std::max(std::abs(std::sqrt(norm) - expected[0]), std::abs(product - expected[1])) / scale;
}

/// Tolerance of an output, and of a gradient, for a case of this name.
inline double output_tolerance(const std::string& name) { return name.ends_with("f64") ? 1e-10 : 1e-5; }
inline double gradient_tolerance(const std::string& name) { return name.ends_with("f64") ? 1e-10 : 1e-4; }

/// Every parameter's gradient against what the script kept of it.
inline void check_gradients(const Golden& golden, const Json& entry, const ParameterList& list) {
  const std::string name = entry.at("case").as_string();
  const double tolerance = gradient_tolerance(name);
  const std::vector<double> numbers = golden.tensor(entry, "grads").to_vector<double>();
  REQUIRE(numbers.size() == 2 * list.size());
  double largest = 0;
  for (size_t i = 0; i < list.size(); ++i) largest = std::max(largest, numbers[2 * i]);
  for (size_t i = 0; i < list.size(); ++i) {
    CAPTURE(list[i].name);
    CHECK(gradient_error(list[i].parameter->grad(), i, &numbers[2 * i], largest) <= tolerance);
  }
  for (const auto& [parameter, expected] : golden.tensors(name + ".grad.")) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.name == parameter; });
    REQUIRE(found != list.end());
    CHECK(disagreement(found->parameter->grad(), expected, {tolerance * largest, tolerance}) == "");
  }
}

/// Names, order and shapes of the weights; the script writes them once for both types.
inline void check_state(const Json& entry, Module& model) {
  const Json& expected = entry.at("state");
  if (expected.size() == 0) return;
  const StateDict state = state_dict(model);
  REQUIRE(state.size() == expected.size());
  for (size_t i = 0; i < state.size(); ++i) {
    CHECK(state[i].name == expected[i][0].as_string());
    Shape shape;
    for (const Json& size : expected[i][1].as_array()) shape.push_back(size.as_integer());
    CHECK(state[i].tensor.shape() == shape);
  }
}

}  // namespace plumb::test
