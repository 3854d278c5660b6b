#pragma once

#include "autograd/variable.h"
#include "engine/ops/norm/group_norm.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/ops/norm/rms_norm.h"

// Normalisation of Variables; documented in engine/ops/norm/.

namespace plumb {

/// Returns y alone. weight and bias may be undefined Variables.
Variable group_norm(const Variable& x, const Variable& weight, const Variable& bias, const GroupNormOptions& options);
/// Returns y alone. weight and bias may be undefined Variables.
Variable layer_norm(const Variable& x, const Shape& normalized_shape, const Variable& weight = {},
                    const Variable& bias = {}, double eps = 1e-5);

/// Returns y alone. weight may be an undefined Variable.
Variable rms_norm(const Variable& x, const Shape& normalized_shape, const Variable& weight = {},
                  std::optional<double> eps = {});

}  // namespace plumb
