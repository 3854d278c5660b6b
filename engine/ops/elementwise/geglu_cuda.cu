// One thread an element of y, or of the gradient's first half, which shares what it reads with the second. The
// arithmetic is the CPU's (Gelu).

#include "engine/cuda/element.cuh"
#include "engine/cuda/launch.cuh"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/elementwise/geglu_kernels.h"

namespace plumb {
namespace {

using PLUMB_ISA::Gelu;

/// x: [rows, 2 width] as a and b side by side; y = a gelu(b).
template <class A>
__global__ void geglu_forward(const void* x, DType dtype, int64_t width, int64_t count, void* y) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t at = i / width * 2 * width + i % width;
    store_element(y, dtype, i, load_element<A>(x, dtype, at) * Gelu::forward(load_element<A>(x, dtype, at + width)));
  }
}

/// grad_a = g gelu(b), grad_b = g a gelu'(b)
template <class A>
__global__ void geglu_backward(const void* grad, const void* x, DType dtype, int64_t width, int64_t count,
                               void* grad_x) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t at = i / width * 2 * width + i % width;
    const A g = load_element<A>(grad, dtype, i), a = load_element<A>(x, dtype, at),
            b = load_element<A>(x, dtype, at + width);
    store_element(grad_x, dtype, at, g * Gelu::forward(b));
    store_element(grad_x, dtype, at + width, Gelu::backward(g * a, b));
  }
}

}  // namespace

void geglu_kernel(Cuda cuda, const Tensor& x, Tensor& y) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "geglu", [&]<class A>() {
    launch("geglu", cuda, grid_for(y.numel()), geglu_forward<A>, x.raw_data(), x.dtype(), y.shape().back(), y.numel(),
           y.raw_mutable_data());
  });
}

void geglu_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, Tensor& grad_x) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "geglu_backward", [&]<class A>() {
    launch("geglu_backward", cuda, grid_for(grad.numel()), geglu_backward<A>, grad.raw_data(), x.raw_data(), x.dtype(),
           grad.shape().back(), grad.numel(), grad_x.raw_mutable_data());
  });
}

}  // namespace plumb
