#include <doctest/doctest.h>

#include "autograd/ops/softmax.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("softmax, log_softmax: gradients agree with differences along every dim") {
  const Tensor x = random_tensor({3, 4, 2});
  for (const Tensor& layout : {x, reversed_memory(x)})
    for (int64_t dim : {0, 1, -1}) {
      // Truncation of the central difference: 1e-10 times a third derivative below 1, plus 1e-11 of rounding.
      CHECK(worst_gradient_error([dim](const auto& v) { return softmax(v[0], dim); }, {layout}) <= 1e-8);
      CHECK(worst_gradient_error([dim](const auto& v) { return log_softmax(v[0], dim); }, {layout}) <= 1e-8);
    }
}
