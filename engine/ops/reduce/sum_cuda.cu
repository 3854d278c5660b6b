// Two walks, as on the CPU: a block an output where the elements of one output are closer together in memory, a thread
// an output where neighbouring outputs are. Sums in Acc<T> with a fixed order (sums.cuh).

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/reduce/sum_kernels.h"

namespace plumb {
namespace {

/// Element `i` of output `output`.
template <class A>
struct Term {
  const void* data;
  DType dtype;
  Walk<1> kept, reduced;
  __device__ A at(int64_t output, int64_t i) const {
    return load_element<A>(data, dtype, places_of(kept, output).at[0] + places_of(reduced, i).at[0]);
  }
};
template <class A>
struct RowTerm : Term<A> {
  __device__ A operator()(int64_t output, int64_t i) const { return this->at(output, i); }
};
template <class A>
struct ColumnTerm : Term<A> {
  __device__ A operator()(int64_t i, int64_t output) const { return this->at(output, i); }
};

template <class A>
struct StoreSum {
  void* out;
  DType dtype;
  A divisor;
  bool divides;
  __device__ void operator()(int64_t output, A sum) const {
    store_element(out, dtype, output, divides ? sum / divisor : sum);
  }
};

Walk<1> walk_over(const Shape& sizes, const Strides& strides) { return walk_of(StridedLoop<1>{sizes, {strides}}); }

// wide: sum and mean differ in the last
void reduce(const char* op, const Cuda& cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out, bool mean) {
  if (layout.outputs == 0) return;
  visit_element_type(x.dtype(), [&]<class A>() {
    const Term<A> term{x.raw_data(), x.dtype(), walk_over(layout.kept, layout.kept_strides),
                       walk_over(layout.reduced, layout.reduced_strides)};
    const StoreSum<A> store{out.raw_mutable_data(), out.dtype(), A(layout.count), mean};
    const bool columns =
        layout.kept.back() >= kWarp && std::abs(layout.kept_strides.back()) < std::abs(layout.reduced_strides.back());
    if (columns)
      sum_columns<A>(op, cuda, x.device(), layout.count, layout.outputs, ColumnTerm<A>{term}, store);
    else
      sum_rows<A>(op, cuda, x.device(), layout.outputs, layout.count, RowTerm<A>{term}, store);
  });
}

}  // namespace

void sum_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce("sum", cuda, x, layout, out, false);
}

void mean_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  reduce("mean", cuda, x, layout, out, true);
}

}  // namespace plumb
