#pragma once

#include "autograd/variable.h"
#include "engine/ops/resize/interpolate_bilinear.h"

// Differentiable overloads of engine/ops/resize; shapes, dtypes and errors are documented there.

namespace plumb {

Variable interpolate_bilinear(const Variable& x, int64_t height, int64_t width);

}  // namespace plumb
