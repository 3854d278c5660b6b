#include "autograd/ops/index.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Inputs1 = const std::vector<Variable>&;

}  // namespace

TEST_CASE("embedding: gradient agrees with differences") {
  const Tensor weight = random_tensor({5, 3}, 1), indices = from_vector<int64_t>({4, 0, 4, 1}, {2, 2});
  for (const Tensor& table : {weight, reversed_memory(weight)})
    CHECK(worst_gradient_error([&](Inputs1 in) { return embedding(indices, in[0]); }, {table}) < 1e-9);
}

TEST_CASE("gather, scatter_add and index_select: gradients agree with differences") {
  const Tensor x = random_tensor({3, 4}, 1), list = from_vector<int64_t>({2, 0, 2}, {3});
  const Tensor index = from_vector<int64_t>({2, 0, 2, 1, 1, 1}, {2, 3}), src = random_tensor({2, 4}, 2);
  for (const int64_t dim : {0, 1}) {
    CHECK(worst_gradient_error([&](Inputs1 in) { return gather(in[0], dim, index); }, {x}) < 1e-9);
    CHECK(worst_gradient_error([&](Inputs1 in) { return index_select(in[0], dim, list); }, {reversed_memory(x)}) <
          1e-9);
    // src is larger than the index: what was not read has no gradient.
    CHECK(worst_gradient_error([&](Inputs1 in) { return scatter_add(in[0], dim, index, in[1]); }, {x, src}) < 1e-9);
  }
  CHECK(worst_gradient_error([&](Inputs1 in) { return scatter_add(x, 0, index, in[0]); }, {src}) < 1e-9);
}

TEST_CASE("embedding: a table without gradient keeps nothing") {
  const Variable y = embedding(from_vector<int64_t>({0}, {1}), Variable(ones({1, 2})));
  CHECK(!y.requires_grad());
}
