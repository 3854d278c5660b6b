#pragma once

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// Inverted dropout [Srivastava et al. 2014]: each element is zero with probability p, and x / (1 - p) otherwise.
/// x: floating, any shape and strides · returns x's shape and dtype, contiguous (x itself for p = 0). p = 1 gives
/// zeros. The elements dropped are those whose rand(key, shape) is below p, so they do not depend on the dtype, on
/// threads, nor, for a sample, on the batch it is in (engine/ops/random/random.h). Nothing is saved: the gradient draws
/// again,
///   grad_x = dropout(grad, p, key)
/// which costs about as much as reading a saved mask and no memory.
/// Differentiable in x. Throws DTypeError, ValueError unless 0 <= p <= 1.
Tensor dropout(const Tensor& x, double p, const RandomKey& key);

}  // namespace plumb
