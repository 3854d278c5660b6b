#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/random.h"
#include "tests/support/gradients.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("dropout: the gradient passes where the value did, and nothing is saved for it") {
  const RandomKey key{.seed = 3};
  for (const double p : {0.0, 0.4, 1.0})
    CHECK(worst_gradient_error([&](const auto& in) { return dropout(in[0], p, key); },
                               {reversed_memory(random_tensor({5, 7}))}) < 1e-9);
  const Variable x = Variable::leaf(ones({4, 4})), y = dropout(x, 0.5, key);
  backward(y, {.grad = ones({4, 4})});
  CHECK(bits_of(x.grad()) == bits_of(y.value()));
}
