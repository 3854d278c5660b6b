#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace plumb {

/// y = exp(x - max) / sum exp(x - max) along `dim`.
/// x: floating, any shape · returns the shape and dtype of x, contiguous.
/// Differentiable in x. A line of only -inf gives NaN, as in torch.
/// Throws DTypeError for integers, IndexError for a dim out of range.
/// Computed in Acc<T>; no element overflows however large x is.
Tensor softmax(const Tensor& x, int64_t dim);

/// y = x - max - log(sum exp(x - max)) along `dim`; otherwise as softmax, and exact where softmax underflows.
Tensor log_softmax(const Tensor& x, int64_t dim);

/// grad_x = y * (grad - sum(grad * y)), with y = softmax(x, dim).
Tensor softmax_backward(const Tensor& grad, const Tensor& y, int64_t dim);
/// grad_x = grad - exp(y) * sum(grad), with y = log_softmax(x, dim).
Tensor log_softmax_backward(const Tensor& grad, const Tensor& y, int64_t dim);

}  // namespace plumb
