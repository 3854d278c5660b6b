// Folds of truth values (folds.cuh).

#include "engine/ops/reduce/any_all_kernels.h"
#include "engine/ops/reduce/reduce_cuda.cuh"

namespace plumb {
namespace {

template <class A>
struct AnyAll {
  using State = int32_t;
  bool all;
  __device__ State identity() const { return all; }
  __device__ State one(A element, int64_t) const { return element != A(0); }
  __device__ State combine(State a, State b) const { return all ? a & b : a | b; }
  __device__ int64_t finish(State found) const { return found; }
};

// wide: any and all differ in the last
void reduce(const char* op, const Cuda& cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out, bool all) {
  visit_element_type(x.dtype(), [&]<class A>() { reduce_on_cuda<A>(op, cuda, AnyAll<A>{all}, x, layout, out); });
}

}  // namespace

void any_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce("any", cuda, x, layout, out, false);
}

void all_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce("all", cuda, x, layout, out, true);
}

}  // namespace plumb
