// Two walks, as on the CPU: a block an output where the elements of one output are closer together in memory, a thread
// an output where neighbouring outputs are. Sums in Acc<T> with a fixed order (sums.cuh). Sums over the rows of a dense
// matrix (the gradient of every bias) take 16 bytes a load (pixel_packs.cuh): it is read once, nothing else moves.

#include "engine/cuda/element.cuh"
#include "engine/cuda/pixel_packs.cuh"
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

/// partial[chunk, column] = sum over the chunk's rows.
template <class T>
__global__ void __launch_bounds__(kThreads) column_sums_packs(Split s, const Pack<T>* x, float* partial) {
  constexpr int kSize = Pack<T>::kSize;
  const Part part(s, false);
  float sums[kSize] = {};
  for_each_pixel<T, 1>(s, part, {x}, [&](const Pack<T>(&values)[1], int64_t, int) {
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) sums[k] += to_float(values[0].item[k]);
  });
  float* to = partial + sums_at(s, part, kSize);
  join_lanes(s, part, sums, [&](int column, float sum) { to[column] = sum; });
}

/// Rows that lie behind each other, whose columns are the outputs, in packs; few rows are not worth two launches.
bool fits_packs(const Tensor& x, const ReductionLayout& layout) {
  const int64_t size = size_of(x.dtype());
  return (x.dtype() == DType::f32 || (size == 2 && is_floating(x.dtype()))) && layout.kept.rank() == 1 &&
         layout.reduced.rank() == 1 && layout.kept_strides[0] == 1 && layout.reduced_strides[0] == layout.outputs &&
         layout.outputs * size % 16 == 0 && layout.count > kFewRows && layout.count < (int64_t(1) << 30) &&
         is_aligned_for_packs(x.raw_data());
}

void reduce_packs(const char* op, const Cuda& cuda, const Tensor& x, const ReductionLayout& layout,
                  const StoreSum<float>& store) {
  visit_dtype(TypeList<float, BFloat16, Float16>{}, x.dtype(), op, [&]<class T>() {
    const Split split = split_of(1, layout.count, layout.outputs, Pack<T>::kSize);
    Tensor kept = scratch<float>(split.chunks * layout.outputs, x.device());
    float* partial = static_cast<float*>(kept.raw_mutable_data());
    launch(op, cuda, grid_of(split, 1), column_sums_packs<T>, split, static_cast<const Pack<T>*>(x.raw_data()),
           partial);
    sum_columns<float>(op, cuda, x.device(), split.chunks, layout.outputs,
                       PartialOfColumn<float>{partial, layout.outputs}, store);
  });
}

Walk<1> walk_over(const Shape& sizes, const Strides& strides) { return walk_of(StridedLoop<1>{sizes, {strides}}); }

// wide: sum and mean differ in the last
void reduce(const char* op, const Cuda& cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out, bool mean) {
  if (layout.outputs == 0) return;
  if (fits_packs(x, layout))
    return reduce_packs(op, cuda, x, layout, {out.raw_mutable_data(), out.dtype(), float(layout.count), mean});
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
