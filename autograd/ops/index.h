#pragma once

#include "autograd/variable.h"
#include "engine/ops/index/embedding.h"
#include "engine/ops/index/gather.h"
#include "engine/ops/index/index_select.h"

// Differentiable overloads of engine/ops/index; shapes, dtypes and errors are documented there. Indices are plain
// Tensors: no gradient flows to them.

namespace plumb {

Variable embedding(const Tensor& indices, const Variable& weight);
Variable gather(const Variable& x, int64_t dim, const Tensor& index);
Variable index_select(const Variable& x, int64_t dim, const Tensor& index);
Variable scatter_add(const Variable& x, int64_t dim, const Tensor& index, const Variable& src);

}  // namespace plumb
