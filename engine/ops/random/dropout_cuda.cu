// One thread an element.

#include "engine/cuda/element.cuh"
#include "engine/cuda/launch.cuh"
#include "engine/ops/random/dropout_kernels.h"

namespace plumb {
namespace {

template <class A>
__global__ void drop(const void* x, const float* drawn, float limit, A scale, int64_t count, DType dtype, void* y) {
  // wide: one kernel with these arguments
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    store_element(y, dtype, i, drawn[i] < limit ? A(0) : load_element<A>(x, dtype, i) * scale);
}

}  // namespace

void dropout_kernel(Cuda cuda, const Tensor& x, const Tensor& drawn, double p, Tensor& y) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "dropout", [&]<class A>() {
    launch("dropout", cuda, grid_for(x.numel()), drop<A>, x.raw_data(), drawn.data<float>(), float(p), A(1 / (1 - p)),
           x.numel(), x.dtype(), y.raw_mutable_data());
  });
}

}  // namespace plumb
