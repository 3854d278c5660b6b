#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/checkpoint.h"
#include "autograd/grad_mode.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"

using namespace plumb;

namespace {

Tensor values(std::vector<double> list) { return from_vector(list, {int64_t(list.size())}); }

}  // namespace

TEST_CASE("anomaly: the op that makes the first NaN is named, with the element") {
  const Variable x = Variable::leaf(values({1, 4, -1}));
  CHECK_NOTHROW(sum(mul(log(x), 2)));
  const AnomalyMode anomaly;
  CHECK_THROWS_WITH_AS(sum(mul(log(x), 2)), "log: value holds a NaN (first at element 2); f64[3]", NumericError);
}

TEST_CASE("anomaly: a NaN in backward names the op whose gradient it is") {
  // sqrt at 0 has slope infinity; times an upstream gradient of 0 that is NaN, while every value is finite.
  const Variable x = Variable::leaf(values({1, 0}));
  const Variable y = sum(mul(sqrt(x), Variable(values({1, 0}))));
  const AnomalyMode anomaly;
  CHECK_THROWS_WITH_AS(backward(y), "sqrt: gradient holds a NaN (first at element 1); f64[2]", NumericError);
}

TEST_CASE("anomaly: holds inside a recomputation and ends with its scope") {
  const Variable x = Variable::leaf(values({0}));
  const auto function = [](const Variable& in) { return mul(sqrt(in), 0); };
  const Variable y = sum(checkpoint(function, x));
  {
    const AnomalyMode anomaly;
    CHECK_THROWS_WITH_AS(backward(y, {.retain_graph = true}), "sqrt: gradient holds a NaN (first at element 0); f64[1]",
                         NumericError);
  }
  CHECK(!anomaly_enabled());
}
