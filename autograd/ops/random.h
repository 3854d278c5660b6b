#pragma once

#include "autograd/variable.h"
#include "engine/ops/random/dropout.h"

// Differentiable overloads of engine/ops/random; shapes, dtypes and errors are documented there.

namespace plumb {

Variable dropout(const Variable& x, double p, const RandomKey& key);

}  // namespace plumb
