#pragma once

// Layer norm and rms norm of any rows: one block a row, which is read from memory once and from the cache after that.
// An rms norm is a layer norm whose mean is 0. In Acc<T>, two passes: stable for a mean far from zero. The gradients of
// weight and bias are sums over rows (sums.cuh).

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/math.h"

namespace plumb {
namespace {

/// Rows of `width` elements of any floating type; null data: not there.
struct NormArray {
  void* data = nullptr;
  DType dtype = DType::f32;
  NormArray() = default;
  explicit NormArray(const Tensor& x)
      : data(x.defined() ? const_cast<void*>(x.raw_data()) : nullptr), dtype(x.defined() ? x.dtype() : DType::f32) {}
  template <class A>
  __device__ A get(int64_t i) const {
    return load_element<A>(data, dtype, i);
  }
  template <class A>
  __device__ void set(int64_t i, A value) const {
    store_element(data, dtype, i, value);
  }
};

struct NormForward {
  NormArray x, weight, bias, y, mean, rstd;
  int64_t width;
  double eps;
};

template <class A>
__global__ void norm_forward(NormForward p, bool centred) {
  const int64_t row = blockIdx.x, start = row * p.width;
  A mean = A(0);
  if (centred) {
    const A shift = p.x.get<A>(start);  // sums far from zero would lose the digits that tell values apart
    for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x) mean += p.x.get<A>(start + i) - shift;
    mean = shift + block_sum(mean) / A(p.width);
  }
  A squares = A(0);
  for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x) {
    const A distance = p.x.get<A>(start + i) - mean;
    squares += distance * distance;
  }
  const A rstd = A(1) / math::sqrt(block_sum(squares) / A(p.width) + A(p.eps));
  for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x) {
    A value = (p.x.get<A>(start + i) - mean) * rstd;
    if (p.weight.data) value *= p.weight.get<A>(i);
    if (p.bias.data) value += p.bias.get<A>(i);
    p.y.set(start + i, value);
  }
  if (threadIdx.x != 0) return;
  if (p.mean.data) p.mean.set(row, mean);
  p.rstd.set(row, rstd);
}

struct NormBackward {
  NormArray grad, x, mean, rstd, weight;
  NormArray grad_x;
  int64_t width;
};

/// What is normalised, in place.
template <class A>
__device__ inline A normal_at(const NormBackward& p, int64_t row, int64_t i) {
  const A mean = p.mean.data ? p.mean.get<A>(row) : A(0);
  return (p.x.get<A>(row * p.width + i) - mean) * p.rstd.get<A>(row);
}
template <class A>
__device__ inline A scaled_grad_at(const NormBackward& p, int64_t row, int64_t i) {
  const A grad = p.grad.get<A>(row * p.width + i);
  return p.weight.data ? grad * p.weight.get<A>(i) : grad;
}

/// grad_x = rstd (h - mean(h) - normal mean(h normal)), h = grad weight; without mean(h) when not centred.
template <class A>
__global__ void norm_backward(NormBackward p, bool centred) {
  const int64_t row = blockIdx.x;
  A level = A(0), projected = A(0);
  for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x) {
    const A h = scaled_grad_at<A>(p, row, i);
    level += h;
    projected += h * normal_at<A>(p, row, i);
  }
  level = centred ? block_sum(level) / A(p.width) : A(0);
  projected = block_sum(projected) / A(p.width);
  const A rstd = p.rstd.get<A>(row);
  for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x)
    p.grad_x.set(row * p.width + i,
                 rstd * (scaled_grad_at<A>(p, row, i) - level - normal_at<A>(p, row, i) * projected));
}

/// Of weight and bias: grad normal, and grad.
template <class A>
struct ParameterTerm {
  NormBackward p;
  __device__ SumPair<A> operator()(int64_t row, int64_t i) const {
    const A grad = p.grad.get<A>(row * p.width + i);
    return {grad * normal_at<A>(p, row, i), grad};
  }
};
template <class A>
struct StoreParameters {
  NormArray weight, bias;
  __device__ void operator()(int64_t i, const SumPair<A>& sums) const {
    if (weight.data) weight.set(i, sums.first);
    if (bias.data) bias.set(i, sums.second);
  }
};

}  // namespace
}  // namespace plumb
