#pragma once

#include "autograd/variable.h"
#include "engine/ops/softmax/softmax.h"

// Softmax on Variables; documented in engine/ops/softmax/softmax.h.

namespace plumb {

Variable softmax(const Variable& x, int64_t dim);
Variable log_softmax(const Variable& x, int64_t dim);

}  // namespace plumb
