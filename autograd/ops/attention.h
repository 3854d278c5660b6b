#pragma once

#include "autograd/variable.h"
#include "engine/ops/attention/attention.h"

// Differentiable overloads of engine/ops/attention; shapes, dtypes and errors are documented there.

namespace plumb {

/// Returns out alone.
Variable attention(const Variable& q, const Variable& k, const Variable& v, const AttentionOptions& options = {});

}  // namespace plumb
