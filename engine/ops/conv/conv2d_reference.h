#pragma once

#include "engine/ops/conv/conv2d.h"

// The definition of conv2d and its gradients, term by term (engine/ops/reference/array.h). Any floating dtype in, f64
// out.

namespace plumb::reference {

/// Arguments and shapes as in plumb::conv2d.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options);
Tensor conv2d_backward_x(const Tensor& grad, const Tensor& weight, const Shape& x_shape, const Conv2dOptions& options);
Tensor conv2d_backward_weight(const Tensor& grad, const Tensor& x, const Shape& weight_shape,
                              const Conv2dOptions& options);

}  // namespace plumb::reference
