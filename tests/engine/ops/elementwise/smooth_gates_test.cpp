// quick_gelu and mish: written in other ops.

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/elementwise/mish.h"
#include "engine/ops/elementwise/quick_gelu.h"
#include "engine/ops/layout/view.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

double quick_gelu_of(double x) { return x / (1 + std::exp(-1.702 * x)); }
double mish_of(double x) { return x * std::tanh(std::log1p(std::exp(x))); }

template <class F>
std::vector<double> mapped(const Tensor& x, F function) {
  std::vector<double> values = x.to_vector<double>();
  for (double& value : values) value = function(value);
  return values;
}

}  // namespace

TEST_CASE("quick_gelu, mish: the definition, for every floating dtype and memory order") {
  for (const auto& [dtype, tolerance] :
       {std::pair{DType::f64, 1e-14}, {DType::f32, 1e-6}, {DType::bf16, 4e-3}, {DType::f16, 1e-3}}) {
    const Tensor x = random_tensor({3, 17, 2, 5}, 1, dtype);
    for (const Tensor& each : {x, channels_last(x), reversed_memory(x), with_gaps(x)}) {
      CHECK(worst_error(quick_gelu(each), mapped(x, quick_gelu_of)) <= tolerance);
      CHECK(worst_error(mish(each), mapped(x, mish_of)) <= tolerance);
      CHECK(mish(each).dtype() == dtype);
    }
    CHECK(quick_gelu(channels_last(x)).is_channels_last());
    CHECK(mish(channels_last(x)).is_channels_last());
  }
}

TEST_CASE("quick_gelu, mish: far from zero, where exp overflows, and errors") {
  const Tensor far = from_vector<float>({-1e6f, -100, 100, 1e6f, 0}, {5});
  for (const Tensor& y : {quick_gelu(far), mish(far)}) {
    const std::vector<double> values = y.to_vector<double>();
    CHECK(std::abs(values[0]) == 0);
    CHECK(std::abs(values[1]) < 1e-30);
    CHECK(values[2] == doctest::Approx(100));
    CHECK(values[3] == doctest::Approx(1e6));
    CHECK(values[4] == 0);
  }
  for (const Tensor& slope : {quick_gelu_backward(ones({5}), far), mish_backward(ones({5}), far)}) {
    const std::vector<double> values = slope.to_vector<double>();
    CHECK(std::abs(values[0]) == 0);
    CHECK(values[2] == doctest::Approx(1));
    CHECK(values[3] == doctest::Approx(1));
  }
  CHECK(quick_gelu(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(message_of([] { quick_gelu(zeros({2}, DType::i64)); }) == "quick_gelu: input must be floating; i64[2]");
  CHECK(message_of([] { mish(zeros({2}, DType::i64)); }) == "mish: input must be floating; i64[2]");
}
