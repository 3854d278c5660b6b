#pragma once

#include "autograd/variable.h"
#include "engine/ops/attention/attention.h"
#include "engine/ops/attention/linear_attention.h"

// Differentiable overloads of engine/ops/attention; shapes, dtypes and errors are documented there.

namespace plumb {

/// Returns out alone.
Variable attention(const Variable& q, const Variable& k, const Variable& v, const AttentionOptions& options = {});
/// Returns out alone.
Variable linear_attention(const Variable& q, const Variable& k, const Variable& v);

}  // namespace plumb
