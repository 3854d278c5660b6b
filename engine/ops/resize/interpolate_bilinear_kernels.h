#pragma once

#include "engine/backend.h"
#include "engine/host_device.h"
#include "engine/tensor.h"

// x: [N, C, H, W], any strides · y: [N, C, H', W'], contiguous, of x's dtype. Nothing is empty.

namespace plumb {

/// The two inputs of output position `i` along one dimension of `in` and `out` pixels, and the second's weight. `first`
/// never falls from an output pixel to the next.
template <class A>
struct Blend {
  int64_t first, second;
  A weight;
};
template <class A>
PLUMB_HOST_DEVICE Blend<A> blend_of(int64_t i, int64_t in, int64_t out) {
  const A scale = A(in) / A(out), centre = scale * (A(i) + A(0.5)) - A(0.5), at = centre > A(0) ? centre : A(0);
  const int64_t whole = int64_t(at), first = whole < in - 1 ? whole : in - 1;
  return {first, first + 1 < in - 1 ? first + 1 : in - 1, at - A(first)};
}

void interpolate_bilinear_kernel(Cpu, const Tensor& x, Tensor& y);
/// grad: [N, C, H', W'], any strides · grad_x: [N, C, H, W], contiguous, of grad's dtype.
void interpolate_bilinear_backward_kernel(Cpu, const Tensor& grad, Tensor& grad_x);

// The same on CUDA.
void interpolate_bilinear_kernel(Cuda cuda, const Tensor& x, Tensor& y);
void interpolate_bilinear_backward_kernel(Cuda cuda, const Tensor& grad, Tensor& grad_x);

}  // namespace plumb
