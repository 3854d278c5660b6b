#pragma once

#include "autograd/variable.h"
#include "engine/ops/loss/error_gain.h"
#include "engine/ops/loss/mse.h"
#include "engine/ops/loss/sample_error.h"

// Losses of Variables; documented in engine/ops/loss/.

namespace plumb {

Variable mse(const Variable& pred, const Variable& target, Reduction reduction = Reduction::mean);
Variable error_gain(const Variable& pred, const Variable& ref, const Variable& target,
                    Reduction reduction = Reduction::mean);
Variable sample_error(const Variable& pred, const Variable& target, Reduction reduction = Reduction::mean);

}  // namespace plumb
