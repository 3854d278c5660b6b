#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

namespace plumb {

/// Whether the gradient of x is scattered: with a stride, gathering would multiply mostly zeros.
inline bool scatters(const ConvGeometry& geometry) {
  return geometry.options.stride.height * geometry.options.stride.width > 1;
}

/// Gradient of x. grad: [N, OH, OW, O] · weight: [O, KH, KW, C / groups] · grad_x: [N, H, W, C], overwritten.
template <class T>
void scattered_backward_x(const ConvGeometry& geometry, const T* grad, const T* weight, T* grad_x);

extern template void scattered_backward_x(const ConvGeometry&, const float*, const float*, float*);
extern template void scattered_backward_x(const ConvGeometry&, const double*, const double*, double*);

}  // namespace plumb
