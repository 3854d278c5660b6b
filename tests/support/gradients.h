#pragma once

#include <functional>
#include <vector>

#include "autograd/variable.h"

// Shared by the tests of differentiable ops.

namespace plumb::test {

/// Compares the gradients of `function` at f64 inputs with central differences under a random upstream gradient:
/// the largest |analytic - numeric| / (1 + |numeric|), infinity when a NaN turns up.
double worst_gradient_error(const std::function<Variable(const std::vector<Variable>&)>& function,
                            const std::vector<Tensor>& inputs);

}  // namespace plumb::test
