#pragma once

#include "engine/ops/conv/conv2d_kernels.h"

namespace plumb {

/// One input and one output channel a group: no matrix product is left, and everything runs along the channels.
inline bool is_depthwise(const ConvGeometry& g) {
  return g.options.groups > 1 && g.group_in() == 1 && g.group_out() == 1;
}

/// Layouts as in conv2d_kernels.h; weight is [C, KH, KW].
template <class T>
void depthwise_forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y);
template <class T>
void depthwise_backward_x(const ConvGeometry& g, const T* grad, const T* weight, T* grad_x);
template <class T>
void depthwise_backward_weight(const ConvGeometry& g, const T* grad, const T* x, T* grad_weight);

}  // namespace plumb
