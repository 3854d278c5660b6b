#pragma once

#include "autograd/variable.h"
#include "engine/ops/linalg/linear.h"
#include "engine/ops/linalg/matmul.h"

// Differentiable overloads of engine/ops/linalg; shapes, dtypes and errors are documented there.

namespace plumb {

Variable matmul(const Variable& a, const Variable& b);
/// An undefined bias is none.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});

}  // namespace plumb
