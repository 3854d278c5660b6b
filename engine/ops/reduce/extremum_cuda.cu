// max, min, argmax, argmin: folds (folds.cuh) that keep the place of the best so far; of equal ones, and of NaN, the
// first in row-major order, whatever order they meet in. The gradient counts the ties of an output first.

#include "engine/ops/reduce/extremum_kernels.h"
#include "engine/ops/reduce/reduce_cuda.cuh"

namespace plumb {
namespace {

template <class A>
struct Place {
  A value;
  int64_t index;  // -1: none yet
};

template <class A, bool kArg>
struct ExtremumOf {
  using State = Place<A>;
  bool max;
  __device__ State identity() const { return {A(0), -1}; }
  __device__ State one(A element, int64_t number) const { return {element, number}; }
  __device__ State combine(const State& a, const State& b) const {
    if (a.index < 0) return b;
    if (b.index < 0) return a;
    const State &earlier = a.index < b.index ? a : b, &later = a.index < b.index ? b : a;
    const bool beats = max ? later.value > earlier.value : later.value < earlier.value;
    return beats || (later.value != later.value && earlier.value == earlier.value) ? later : earlier;
  }
  __device__ auto finish(const State& best) const {
    if constexpr (kArg)
      return best.index;
    else
      return best.value;
  }
};

template <bool kArg>
void reduce(const Cuda& cuda, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  const bool max = which == Extremum::max;
  const char* op = kArg ? (max ? "argmax" : "argmin") : (max ? "max" : "min");
  visit_element_type(x.dtype(),
                     [&]<class A>() { reduce_on_cuda<A>(op, cuda, ExtremumOf<A, kArg>{max}, x, layout, out); });
}

/// How many elements equal the output's.
template <class A>
struct TieTerm {
  const void *x, *y;
  DType dtype;
  Walk<1> kept, reduced;
  __device__ int64_t operator()(int64_t output, int64_t i) const {
    const A element = load_element<A>(x, dtype, places_of(kept, output).at[0] + places_of(reduced, i).at[0]);
    return element == load_element<A>(y, dtype, output);
  }
};
struct StoreCount {
  int64_t* out;
  __device__ void operator()(int64_t output, int64_t count) const { out[output] = count; }
};

template <class A>
struct Share {
  const void *grad, *y;
  DType dtype;
  const int64_t* ties;
  __device__ A operator()(A element, int64_t output) const {
    // No tie at all means a NaN: 0 / 0 passes it on.
    return A(element == load_element<A>(y, dtype, output)) * load_element<A>(grad, dtype, output) / A(ties[output]);
  }
};

}  // namespace

void extremum_kernel(Cuda cuda, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce<false>(cuda, which, x, layout, out);
}

void arg_extremum_kernel(Cuda cuda, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce<true>(cuda, which, x, layout, out);
}

void extremum_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              Tensor& grad_x) {
  if (x.numel() == 0) return;
  const char* op = "max_backward";
  const ReductionLayout layout = reduction_layout(x, mask);
  Tensor ties = empty({layout.outputs}, DType::i64, x.device());
  visit_acc(x.dtype(), [&]<class A>() {
    const TieTerm<A> term{x.raw_data(), y.raw_data(), x.dtype(),
                          walk_of(StridedLoop<1>{layout.kept, {layout.kept_strides}}),
                          walk_of(StridedLoop<1>{layout.reduced, {layout.reduced_strides}})};
    sum_rows<int64_t>(op, cuda, x.device(), layout.outputs, layout.count, term,
                      StoreCount{ties.mutable_data<int64_t>()});
    reduction_grad_on_cuda<A>(op, cuda, x, mask, grad_x,
                              Share<A>{grad.raw_data(), y.raw_data(), x.dtype(), ties.data<int64_t>()});
  });
}

}  // namespace plumb
