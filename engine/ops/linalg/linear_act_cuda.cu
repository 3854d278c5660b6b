// What linear_act does beside its product: the activation with its derivative, in one pass over y, 16 bytes a thread;
// and in backward the product with that derivative, which also sums its columns for the bias (sums.cuh).

#include "engine/cuda/element.cuh"
#include "engine/cuda/flat.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/linalg/linear_act_kernels.h"
#include "engine/ops/linalg/linear_kernels.h"

namespace plumb {
namespace {

using namespace PLUMB_ISA;  // where the functors are

template <class A, class F>
__device__ inline A activate_with(A x, A& derivative) {
  derivative = F::backward(A(1), x);
  return F::forward(x);
}

/// Of a product's result x. relu's derivative is never asked for.
template <class A>
__device__ inline A activated(FusedActivation activation, A x, A& derivative) {
  switch (activation) {
    case FusedActivation::relu:
      return Relu::forward(x);
    case FusedActivation::silu:
      return activate_with<A, Silu>(x, derivative);
    case FusedActivation::gelu:
      return activate_with<A, Gelu>(x, derivative);
    case FusedActivation::gelu_tanh:
      return activate_with<A, GeluTanh>(x, derivative);
    case FusedActivation::none:
      break;
  }
  return x;
}

template <class T>
__global__ void activate_elements(FusedActivation activation, T* y, T* derivative, int64_t packs, int64_t count) {
  using A = Acc<T>;
  const int64_t step = int64_t(gridDim.x) * blockDim.x, first = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  for (int64_t i = first; i < packs; i += step) {
    Pack<T> values = reinterpret_cast<const Pack<T>*>(y)[i], slopes;
    for (int k = 0; k < Pack<T>::kSize; ++k) {
      A slope = A(0);
      values.item[k] = store_as<T>(activated(activation, load_as<A>(values.item[k]), slope));
      slopes.item[k] = store_as<T>(slope);
    }
    reinterpret_cast<Pack<T>*>(y)[i] = values;
    if (derivative) reinterpret_cast<Pack<T>*>(derivative)[i] = slopes;
  }
  for (int64_t i = packs * Pack<T>::kSize + first; i < count; i += step) {
    A slope = A(0);
    y[i] = store_as<T>(activated(activation, load_as<A>(y[i]), slope));
    if (derivative) derivative[i] = store_as<T>(slope);
  }
}

/// grad * factor, stored on the way to its sum.
template <class A>
struct ScaledTerm {
  const void *grad, *factor;
  void* out;
  DType dtype;
  int64_t width;
  __device__ A operator()(int64_t row, int64_t column) const {
    const int64_t at = row * width + column;
    const A product = load_element<A>(grad, dtype, at) * load_element<A>(factor, dtype, at);
    store_element(out, dtype, at, product);
    return product;
  }
};

template <class A>
struct StoreSum {
  void* sum;
  DType dtype;
  __device__ void operator()(int64_t column, A total) const { store_element(sum, dtype, column, total); }
};

}  // namespace

void activate_kernel(Cuda cuda, FusedActivation activation, Tensor& y, Tensor* derivative) {
  visit_dtype(Floats{}, y.dtype(), "linear_act", [&]<class T>() {
    T *values = y.mutable_data<T>(), *slopes = derivative ? derivative->mutable_data<T>() : nullptr;
    const bool aligned = is_aligned_for_packs(values) && is_aligned_for_packs(slopes);
    const int64_t count = y.numel(), packs = aligned ? count / Pack<T>::kSize : 0;
    launch("linear_act", cuda, grid_for(aligned ? ceil_div(count, Pack<T>::kSize) : count), activate_elements<T>,
           activation, values, slopes, packs, count);
  });
}

void scale_and_column_sum_kernel(Cuda cuda, const Tensor& grad, const Tensor& factor, Tensor& out, Tensor& sum) {
  const int64_t width = grad.shape().back();
  visit_dtype(TypeList<float, double>{}, acc_dtype(grad.dtype()), "linear_act_backward", [&]<class A>() {
    sum_columns<A>("linear_act_backward", cuda, grad.device(), grad.numel() / width, width,
                   ScaledTerm<A>{grad.raw_data(), factor.raw_data(), out.raw_mutable_data(), grad.dtype(), width},
                   StoreSum<A>{sum.raw_mutable_data(), sum.dtype()});
  });
}

}  // namespace plumb
