#include "engine/ops/reduce/variance.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("var, std: known values for corrections 0, 1 and 2") {
  const Tensor x = from_vector<float>({1, 2, 3, 4}, {4});
  CHECK(var(x).item() == doctest::Approx(5.0 / 3));
  CHECK(var(x, {}, 0).item() == 1.25);
  CHECK(var(x, {0}, 2, true).to_vector<double>() == std::vector<double>{2.5});
  CHECK(stddev(x, {}, 2).item() == doctest::Approx(std::sqrt(2.5)));
}

TEST_CASE("var: nothing left to divide by gives NaN or infinity, as in torch") {
  CHECK(std::isnan(var(ones({1})).item()));
  CHECK(std::isnan(var(scalar(2)).item()));
  CHECK(var(ones({1}), {}, 0).item() == 0);
  CHECK(std::isinf(var(from_vector<float>({1, 2}, {2}), {}, 3).item()));
}

TEST_CASE("var: a mean of ten thousand with a spread of one keeps four digits") {
  // E[x^2] - E[x]^2 in float would be off by 100 %: 1e8 has an ulp of 8. The inputs are rounded to 1e-3 first.
  for (const Shape& shape : {Shape{100000, 1}, Shape{10000, 20}}) {
    Tensor x = random_tensor(shape, 4, DType::f32);
    x.add_(scalar(1e4));
    CHECK(worst_error(var(x, {0}), var(x.to(DType::f64), {0}).to_vector<double>()) <= 1e-4);
  }
}
