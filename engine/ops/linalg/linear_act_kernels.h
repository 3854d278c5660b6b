#pragma once

#include "engine/backend.h"
#include "engine/fused_activation.h"
#include "engine/tensor.h"

namespace plumb {

/// y = activation(y) in place, and its derivative into the other tensor unless that is null. Contiguous, of one
/// floating type. For products whose epilogue does not know the activation.
void activate_kernel(Cuda cuda, FusedActivation activation, Tensor& y, Tensor* derivative);

}  // namespace plumb
