#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Gated linear unit with a Gaussian gate [Shazeer 2020]: y = a gelu(b), a and b the halves of the last dimension and
/// gelu the exact form with the error function. In one pass; no half is copied.
/// x: floating [..., 2 D], any strides · returns [..., D] of x's dtype, contiguous. Differentiable in x.
/// Throws DTypeError, ShapeError when the last dimension is odd or there is none.
Tensor geglu(const Tensor& x);

/// grad: [..., D], x as in the forward · returns [..., 2 D]: grad gelu(b) and grad a gelu'(b).
Tensor geglu_backward(const Tensor& grad, const Tensor& x);

}  // namespace plumb
