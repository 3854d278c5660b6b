#pragma once

#include "autograd/variable.h"
#include "engine/ops/reduce/sum.h"

// Reductions on Variables; what each computes, and its errors, are documented in engine/ops/reduce/.

namespace plumb {

Variable sum(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable mean(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable sum_to(const Variable& x, const Shape& shape);

}  // namespace plumb
