#pragma once

#include "autograd/variable.h"
#include "engine/ops/conv/conv2d.h"

// Convolutions of Variables; documented in engine/ops/conv/.

namespace plumb {

/// bias may be an undefined Variable.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias = {},
                const Conv2dOptions& options = {});

}  // namespace plumb
