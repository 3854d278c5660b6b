#pragma once

#include "autograd/variable.h"
#include "engine/ops/conv/conv2d.h"
#include "engine/ops/norm/group_norm.h"

// Convolutions of Variables; documented in engine/ops/conv/.

namespace plumb {

/// bias may be an undefined Variable.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias = {},
                const Conv2dOptions& options = {});

/// What group_norm and conv2d are given besides the picture. Weights and biases of the former, and the bias of the
/// latter, may be undefined Variables.
struct GroupNormOperands {
  const Variable &weight, &bias;
  const GroupNormOptions& options;
};
struct Conv2dOperands {
  const Variable &weight, &bias;
  const Conv2dOptions& options;
};
/// conv2d(group_norm(x)), bit for bit the two ops one after the other, forward and backward. But what lies between them
/// is not kept: backward normalises x again, one cheap op, and a network of such pairs keeps half as many pictures.
Variable group_norm_conv2d(const Variable& x, const GroupNormOperands& norm, const Conv2dOperands& conv);

}  // namespace plumb
