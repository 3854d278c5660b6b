#pragma once

#include "engine/tensor.h"

namespace plumb {

/// A contiguous copy with `value` added around it. `amounts` is in torch's order: before and after the last dimension,
/// before and after the one in front of it, …; negative amounts crop. Any dtype. Differentiable in x.
/// Throws ShapeError when amounts are odd in number, name more dimensions than x has, or crop below nothing.
Tensor pad(const Tensor& x, const Dims& amounts, double value = 0);

/// Gradient of pad: grad where x lay, 0 where x was cropped. The padding of the opposite amounts.
Tensor pad_backward(const Tensor& grad, const Dims& amounts);

}  // namespace plumb
