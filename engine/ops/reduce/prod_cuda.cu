// Products: a fold (folds.cuh). The gradient multiplies what lies before an element by what lies behind it, so that
// zeros need no special case: one block an output, each thread a run of its elements, the runs' products joined by one
// thread. A product's factors meet in another order than on the CPU, which shows in the last digits, and where a part
// of it leaves the type's range.

#include "engine/ops/reduce/prod_kernels.h"
#include "engine/ops/reduce/reduce_cuda.cuh"

namespace plumb {
namespace {

template <class A>
struct Product {
  using State = A;
  __device__ State identity() const { return A(1); }
  __device__ State one(A element, int64_t) const { return element; }
  __device__ State combine(State a, State b) const { return a * b; }
  __device__ A finish(State product) const { return product; }
};

/// Elements and where their gradients go.
struct Line {
  const void *x, *grad;
  void* grad_x;
  DType dtype;
  Walk<2> outputs, elements;  // of x, grad_x
  int64_t count;
};

/// behind: [outputs, count], scratch.
template <class A>
__global__ void prod_backward(Line line, A* behind) {
  __shared__ A before_run[kThreads], behind_run[kThreads];
  const Places<2> start = places_of(line.outputs, blockIdx.x);
  const auto place = [&](int64_t i) { return places_of(line.elements, i); };
  const auto element = [&](int64_t i) { return load_element<A>(line.x, line.dtype, start.at[0] + place(i).at[0]); };
  const int threads = int(blockDim.x), thread = int(threadIdx.x);
  const int64_t run = (line.count + threads - 1) / threads, first = thread * run;
  const int64_t begin = first < line.count ? first : line.count;
  const int64_t end = begin + run < line.count ? begin + run : line.count;
  A product = A(1);
  for (int64_t i = begin; i < end; ++i) product *= element(i);
  before_run[thread] = behind_run[thread] = product;
  __syncthreads();
  if (thread == 0) {
    A before = A(1), after = load_element<A>(line.grad, line.dtype, blockIdx.x);
    for (int t = 0; t < threads; ++t) {
      const A own = before_run[t];
      before_run[t] = before;
      before *= own;
    }
    for (int t = threads - 1; t >= 0; --t) {
      const A own = behind_run[t];
      behind_run[t] = after;
      after *= own;
    }
  }
  __syncthreads();
  behind += blockIdx.x * line.count;
  A after = behind_run[thread];
  for (int64_t i = end - 1; i >= begin; --i) {
    behind[i] = after;
    after *= element(i);
  }
  A before = before_run[thread];
  for (int64_t i = begin; i < end; ++i) {
    store_element(line.grad_x, line.dtype, start.at[1] + place(i).at[1], before * behind[i]);
    before *= element(i);
  }
}

}  // namespace

void prod_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_element_type(x.dtype(), [&]<class A>() { reduce_on_cuda<A>("prod", cuda, Product<A>{}, x, layout, out); });
}

void prod_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, DimMask mask, Tensor& grad_x) {
  if (x.numel() == 0) return;
  Shape kept, reduced;
  std::array<Strides, 2> kept_strides, reduced_strides;
  for (int64_t d = 0; d < x.rank(); ++d) {
    const bool is_reduced = mask >> d & 1;
    (is_reduced ? reduced : kept).push_back(x.shape()[d]);
    (is_reduced ? reduced_strides : kept_strides)[0].push_back(x.strides()[d]);
    (is_reduced ? reduced_strides : kept_strides)[1].push_back(grad_x.strides()[d]);
  }
  const auto walk_over = [](Shape& sizes, std::array<Strides, 2>& strides) {
    if (sizes.empty()) {
      sizes.push_back(1);
      for (Strides& each : strides) each.push_back(0);
    }
    return walk_of(StridedLoop<2>{sizes, strides});
  };
  const Line line{x.raw_data(),
                  grad.raw_data(),
                  grad_x.raw_mutable_data(),
                  x.dtype(),
                  walk_over(kept, kept_strides),
                  walk_over(reduced, reduced_strides),
                  reduced_count(x.shape(), mask)};
  visit_acc(x.dtype(), [&]<class A>() {
    Tensor behind = scratch<A>(x.numel(), x.device());
    launch("prod_backward", cuda, {.blocks = x.numel() / line.count, .threads = threads_for(line.count)},
           prod_backward<A>, line, static_cast<A*>(behind.raw_mutable_data()));
  });
}

}  // namespace plumb
