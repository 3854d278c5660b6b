#pragma once

#include "engine/tensor.h"

namespace plumb::reference {

/// out[…, i, j] = sum over k of a[…, i, k] b[…, k, j], three loops a matrix (engine/ops/reference/array.h). Operands of
/// rank 2 or more, batch dimensions broadcast. Any dtype in, f64 out.
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace plumb::reference
