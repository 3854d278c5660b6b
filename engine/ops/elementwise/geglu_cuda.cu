// Rows in packs of 16 bytes where they allow it: a thread makes a pack of y, or of both halves of the gradient, from
// the packs it needs (32 to 48 bytes in flight a thread, 32 KB a multiprocessor and more), with one 32-bit division a
// pack. Each tensor moves once, the least. 16-bit results take the C library's erfc and the hardware's exp, f32 and f64
// the CPU's arithmetic (Gelu). Other rows: one thread an element of y, types looked up.

#include <cmath>

#include "engine/cuda/element.cuh"
#include "engine/cuda/fast_math.cuh"
#include "engine/cuda/flat.cuh"
#include "engine/cuda/half.cuh"
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

/// gelu of values that are stored as T.
template <class T>
struct GeluFor {
  /// Phi(x)
  static __device__ float below(float x) { return 0.5f * ::erfcf(x * -0.70710678f); }
  static __device__ float forward(float x) {
    if constexpr (is_half<T>)
      return x * below(x);
    else
      return Gelu::forward(x);
  }
  /// up gelu'(x), and gelu(x).
  static __device__ float backward(float up, float x, float& value) {
    if constexpr (is_half<T>) {
      const float phi = below(x), density = 0.39894228f * fast_exp(-0.5f * x * x);
      value = x * phi;
      return up * (phi + x * density);
    } else {
      value = Gelu::forward(x);
      return Gelu::backward(up, x);
    }
  }
};

/// row_packs: packs of a row of y.
template <class T>
__global__ void __launch_bounds__(kThreads)
    geglu_forward_packs(const Pack<T>* x, uint32_t row_packs, uint32_t count, Pack<T>* y) {
  const uint32_t step = gridDim.x * blockDim.x;
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t at = int64_t(i) + int64_t(i / row_packs) * row_packs;
    const Pack<T> a = x[at], b = x[at + row_packs];
    Pack<T> result;
    PLUMB_UNROLL
    for (int k = 0; k < Pack<T>::kSize; ++k)
      result.item[k] = from_float<T>(to_float(a.item[k]) * GeluFor<T>::forward(to_float(b.item[k])));
    y[i] = result;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    geglu_backward_packs(const Pack<T>* grad, const Pack<T>* x, uint32_t row_packs, uint32_t count, Pack<T>* grad_x) {
  const uint32_t step = gridDim.x * blockDim.x;
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t at = int64_t(i) + int64_t(i / row_packs) * row_packs;
    const Pack<T> up = grad[i], a = x[at], b = x[at + row_packs];
    Pack<T> grad_a, grad_b;
    PLUMB_UNROLL
    for (int k = 0; k < Pack<T>::kSize; ++k) {
      const float g = to_float(up.item[k]);
      float value = 0;
      grad_b.item[k] = from_float<T>(GeluFor<T>::backward(g * to_float(a.item[k]), to_float(b.item[k]), value));
      grad_a.item[k] = from_float<T>(g * value);
    }
    grad_x[at] = grad_a;
    grad_x[at + row_packs] = grad_b;
  }
}

/// Rows of `width` elements in packs, as many as 32 bits count.
bool fits_packs(const Tensor& y, std::initializer_list<const void*> data) {
  const int64_t size = size_of(y.dtype());
  bool fits = (y.dtype() == DType::f32 || size == 2) && y.shape().back() * size % 16 == 0 &&
              y.numel() * size / 16 < (int64_t(1) << 31);
  for (const void* each : data) fits = fits && is_aligned_for_packs(each);
  return fits;
}

}  // namespace

void geglu_kernel(Cuda cuda, const Tensor& x, Tensor& y) {
  if (fits_packs(y, {x.raw_data(), y.raw_data()}))
    return visit_dtype(TypeList<float, BFloat16, Float16>{}, x.dtype(), "geglu", [&]<class T>() {
      const int64_t count = y.numel() / Pack<T>::kSize;
      launch("geglu", cuda, grid_for(count), geglu_forward_packs<T>, static_cast<const Pack<T>*>(x.raw_data()),
             uint32_t(y.shape().back() / Pack<T>::kSize), uint32_t(count), static_cast<Pack<T>*>(y.raw_mutable_data()));
    });
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "geglu", [&]<class A>() {
    launch("geglu", cuda, grid_for(y.numel()), geglu_forward<A>, x.raw_data(), x.dtype(), y.shape().back(), y.numel(),
           y.raw_mutable_data());
  });
}

void geglu_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, Tensor& grad_x) {
  if (fits_packs(grad, {grad.raw_data(), x.raw_data(), grad_x.raw_data()}))
    return visit_dtype(TypeList<float, BFloat16, Float16>{}, x.dtype(), "geglu_backward", [&]<class T>() {
      const int64_t count = grad.numel() / Pack<T>::kSize;
      launch("geglu_backward", cuda, grid_for(count), geglu_backward_packs<T>,
             static_cast<const Pack<T>*>(grad.raw_data()), static_cast<const Pack<T>*>(x.raw_data()),
             uint32_t(grad.shape().back() / Pack<T>::kSize), uint32_t(count),
             static_cast<Pack<T>*>(grad_x.raw_mutable_data()));
    });
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "geglu_backward", [&]<class A>() {
    launch("geglu_backward", cuda, grid_for(grad.numel()), geglu_backward<A>, grad.raw_data(), x.raw_data(), x.dtype(),
           grad.shape().back(), grad.numel(), grad_x.raw_mutable_data());
  });
}

}  // namespace plumb
