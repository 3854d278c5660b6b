#pragma once

#include "autograd/variable.h"
#include "engine/ops/reduce/cumsum.h"
#include "engine/ops/reduce/extremum.h"
#include "engine/ops/reduce/logsumexp.h"
#include "engine/ops/reduce/prod.h"
#include "engine/ops/reduce/sum.h"
#include "engine/ops/reduce/variance.h"

// Reductions of Variables; what each computes, and its errors, are documented in engine/ops/reduce/. argmax, argmin,
// any and all have no gradient: call them on value().

namespace plumb {

Variable sum(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable mean(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable sum_to(const Variable& x, const Shape& shape);
Variable max(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable min(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable var(const Variable& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);
Variable stddev(const Variable& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);
Variable prod(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable logsumexp(const Variable& x, const Dims& dims = {}, bool keepdim = false);
Variable cumsum(const Variable& x, int64_t dim);

}  // namespace plumb
