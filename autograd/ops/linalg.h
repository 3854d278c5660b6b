#pragma once

#include <span>

#include "autograd/variable.h"
#include "engine/ops/linalg/linear.h"
#include "engine/ops/linalg/matmul.h"

// Differentiable overloads of engine/ops/linalg; shapes, dtypes and errors are documented there.

namespace plumb {

Variable matmul(const Variable& a, const Variable& b);
/// An undefined bias is none.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});
/// Of f32 and f64, silu and gelu are one node that keeps the activation's derivative; the rest are recorded as two ops.
Variable linear_act(const Variable& x, const Variable& weight, const Variable& bias, FusedActivation activation);
/// The same of parts [..., in_i] whose features lie side by side, cat(parts, -1): a part that needs no gradient costs
/// none in backward.
Variable linear_act(std::span<const Variable> parts, const Variable& weight, const Variable& bias,
                    FusedActivation activation);

}  // namespace plumb
