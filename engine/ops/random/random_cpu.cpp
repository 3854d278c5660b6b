#include "engine/ops/random/random_kernels.h"
#include "engine/random/step_scope.h"

namespace plumb {
namespace {

RandomKey at_scoped_step(const RandomKey& key) {
  const int64_t* offset = random_step_on(kCpu);
  return offset ? key.at_step(key.step + uint64_t(*offset)) : key;
}

}  // namespace

void randn_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out) {
  visit_dtype(TypeList<float, double>{}, out.dtype(), "randn",
              [&]<class T>() { fill_normal(at_scoped_step(key), rows, out.mutable_data<T>()); });
}

void rand_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out) {
  visit_dtype(TypeList<float, double>{}, out.dtype(), "rand",
              [&]<class T>() { fill_uniform(at_scoped_step(key), rows, out.mutable_data<T>()); });
}

void randint_kernel(Cpu, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out) {
  fill_randint(at_scoped_step(key), rows, low, high, out.mutable_data<int64_t>());
}

}  // namespace plumb
