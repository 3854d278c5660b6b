#include "engine/ops/random/random_kernels.h"

namespace plumb {

void randn_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out) {
  visit_dtype(TypeList<float, double>{}, out.dtype(), "randn",
              [&]<class T>() { fill_normal(key, rows, out.mutable_data<T>()); });
}

void rand_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out) {
  visit_dtype(TypeList<float, double>{}, out.dtype(), "rand",
              [&]<class T>() { fill_uniform(key, rows, out.mutable_data<T>()); });
}

void randint_kernel(Cpu, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out) {
  fill_randint(key, rows, low, high, out.mutable_data<int64_t>());
}

}  // namespace plumb
