#include "nn/init.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "nn/layers/activations.h"
#include "nn/layers/embedding.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/visitors.h"
#include "tests/nn/init_golden.h"
#include "tests/support/numeric.h"

using namespace plumb;

TEST_CASE("init: Linear starts with torch's bits") {
  Generator generator(7);
  Linear layer(3, 5, generator);
  CHECK(layer.weight().value().to_vector<float>() == golden::linear_weight);
  CHECK(layer.bias().value().to_vector<float>() == golden::linear_bias);
  Generator again(7);
  Linear exact(4, 2, again, {.dtype = DType::f64});
  CHECK(exact.weight().value().to_vector<double>() == golden::linear_f64_weight);
  CHECK(exact.bias().value().to_vector<double>() == golden::linear_f64_bias);
}

TEST_CASE("init: a network draws in torch's order") {
  Generator generator(7);
  Sequential net;
  net.add<Linear>(66, 128, generator).add<SiLU>().add<Linear>(128, 2, generator);
  const ParameterList list = parameters(net);
  const std::vector<float> weight = list[2].parameter->value().to_vector<float>();
  CHECK(std::vector<float>(weight.end() - 8, weight.end()) == golden::second_weight_end);
  CHECK(list[3].parameter->value().to_vector<float>() == golden::second_bias);
}

TEST_CASE("init: Embedding starts with torch's normals up to rounding of logarithm and cosine") {
  const auto compare = [](int64_t count, int64_t features, const std::vector<float>& expected) {
    Generator generator(7);
    Embedding table(count, features, generator);
    // torch's AVX2 path uses approximate functions: a few units in the last place.
    CHECK(plumb::test::worst_error(table.weight().value(), std::vector<double>(expected.begin(), expected.end())) <=
          1e-6);
  };
  compare(3, 4, golden::embedding_small);
  compare(6, 7, golden::embedding_large);
}

TEST_CASE("init: xavier_uniform as torch's, zeros on request, refusals") {
  Generator generator(7);
  Tensor out = empty({3, 4});
  Init(generator).xavier_uniform(out, 2);
  CHECK(out.to_vector<float>() == golden::xavier);
  Init::zeros().kaiming_uniform(out);
  CHECK(out.to_vector<float>() == std::vector<float>(12, 0));
  Tensor flat = empty({4});
  CHECK_THROWS_WITH_AS(Init(generator).kaiming_uniform(flat),
                       "init kaiming_uniform: needs at least two dimensions, [outputs, inputs, ...]; [4]", ShapeError);
}
