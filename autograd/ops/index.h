#pragma once

#include "autograd/variable.h"
#include "engine/ops/index/embedding.h"

// Differentiable overloads of engine/ops/index; shapes, dtypes and errors are documented there. Indices are plain
// Tensors: no gradient flows to them.

namespace plumb {

Variable embedding(const Tensor& indices, const Variable& weight);

}  // namespace plumb
