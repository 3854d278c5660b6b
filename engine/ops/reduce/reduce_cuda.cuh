#pragma once

// Reductions of tensors by a Fold (engine/cuda/folds.cuh) that also has, for its Value type A,
//   State one(A element, int64_t number)   of one element, which is number `number` of its output
//   finish(State)                          what is stored
// A block takes an output where its elements lie closer together than the outputs, else a thread does.
// Also their gradients: an elementwise walk that knows which output every element went into.

#include "engine/cuda/element.cuh"
#include "engine/cuda/folds.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/reduce/reduction_layout.h"

namespace plumb {

template <class A, class Fold>
struct FoldTerm {
  Fold fold;
  const void* data;
  DType dtype;
  Walk<1> kept, reduced;
  __device__ typename Fold::State operator()(int64_t output, int64_t i) const {
    return fold.one(load_element<A>(data, dtype, places_of(kept, output).at[0] + places_of(reduced, i).at[0]), i);
  }
};

template <class Fold>
struct StoreFold {
  Fold fold;
  void* out;
  DType dtype;
  __device__ void operator()(int64_t output, const typename Fold::State& state) const {
    store_element(out, dtype, output, fold.finish(state));
  }
};

/// out: contiguous. Elements are read as A.
template <class A, class Fold>
void reduce_on_cuda(const char* op, const Cuda& cuda, const Fold& fold, const Tensor& x, const ReductionLayout& layout,
                    Tensor& out) {  // wide: as the CPU's
  const auto walk_over = [](const Shape& sizes, const Strides& strides) {
    return walk_of(StridedLoop<1>{sizes, {strides}});
  };
  const FoldTerm<A, Fold> term{fold, x.raw_data(), x.dtype(), walk_over(layout.kept, layout.kept_strides),
                               walk_over(layout.reduced, layout.reduced_strides)};
  const StoreFold<Fold> store{fold, out.raw_mutable_data(), out.dtype()};
  const bool columns =
      layout.kept.back() >= kWarp && std::abs(layout.kept_strides.back()) < std::abs(layout.reduced_strides.back());
  if (columns)
    fold_columns(op, cuda, x.device(), layout.count, layout.outputs, fold, term, store);
  else
    fold_rows(op, cuda, x.device(), layout.outputs, layout.count, fold, term, store);
}

/// gradient(x's element, the element's output) is grad_x's, for every element.
template <class A, class Gradient>
struct ReductionGradient {
  const void* x;
  void* grad_x;
  DType dtype;
  Gradient gradient;
  __device__ void operator()(const Places<3>& p) const {
    store_element(grad_x, dtype, p.at[0], gradient(load_element<A>(x, dtype, p.at[1]), p.at[2]));
  }
};

/// Row-major places of the outputs that the elements of `shape` go into.
inline Strides strides_of_outputs(const Shape& shape, DimMask mask) {
  Strides strides = Dims::filled(shape.rank(), 0);
  int64_t step = 1;
  for (int64_t d = shape.rank() - 1; d >= 0; --d) {
    if (mask >> d & 1) continue;
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/// grad_x: like x, dense.
template <class A, class Gradient>
void reduction_grad_on_cuda(const char* op, const Cuda& cuda, const Tensor& x, DimMask mask, Tensor& grad_x,
                            const Gradient& gradient) {  // wide: as the CPU's
  if (x.numel() == 0) return;
  const auto loop = make_loop<3>(x.shape(), {grad_x.strides(), x.strides(), strides_of_outputs(x.shape(), mask)});
  walk_on_device(op, cuda, loop,
                 ReductionGradient<A, Gradient>{x.raw_data(), grad_x.raw_mutable_data(), x.dtype(), gradient});
}

/// Calls f.operator()<A>() with the accumulation type of a floating tensor.
template <class F>
void visit_acc(DType dtype, F&& f) {
  if (dtype == DType::f64)
    f.template operator()<double>();
  else
    f.template operator()<float>();
}

}  // namespace plumb
