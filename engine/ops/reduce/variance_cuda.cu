// Variance: a fold (folds.cuh) of counts, means and sums of squares about them (moments.h), so that one pass is enough.
// The gradient takes the means again from the same fold.

#include "engine/math.h"
#include "engine/ops/reduce/moments.h"
#include "engine/ops/reduce/reduce_cuda.cuh"
#include "engine/ops/reduce/variance_kernels.h"

namespace plumb {
namespace {

template <class A>
struct Variance {
  using State = Moments<A>;
  double correction;
  bool root, mean;  // mean: that is the result instead

  __device__ State identity() const { return {0, A(0), A(0)}; }
  __device__ State one(A x, int64_t) const { return {1, x, A(0)}; }
  __device__ State combine(const State& a, const State& b) const { return State::joined(a, b); }
  __device__ A finish(const State& s) const {
    if (mean) return s.mean;
    const double freedom = double(s.count) - correction;
    const A variance = s.squares / A(freedom > 0 ? freedom : 0);
    return root ? math::sqrt(variance) : variance;
  }
};

template <class A>
struct Gradient {
  const void *grad, *roots;  // roots null: of the variance, not of its root
  DType dtype;
  const A* means;
  A freedom;
  __device__ A operator()(A element, int64_t output) const {
    A factor = load_element<A>(grad, dtype, output) * A(2) / freedom;
    if (roots) {
      const A root = load_element<A>(roots, dtype, output);
      factor = root == A(0) ? A(0) : factor / (A(2) * root);
    }
    return factor * (element - means[output]);
  }
};

}  // namespace

void variance_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, double correction, bool root,
                     Tensor& out) {
  visit_acc(x.dtype(), [&]<class A>() {
    reduce_on_cuda<A>(root ? "std" : "var", cuda, Variance<A>{correction, root, false}, x, layout, out);
  });
}

void variance_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              double correction, Tensor& grad_x) {  // wide: as the CPU's
  if (x.numel() == 0) return;
  const char* op = "var_backward";
  const ReductionLayout layout = reduction_layout(x, mask);
  const double freedom = double(layout.count) - correction;
  Tensor means = empty({layout.outputs}, acc_dtype(x.dtype()), x.device());
  visit_acc(x.dtype(), [&]<class A>() {
    reduce_on_cuda<A>(op, cuda, Variance<A>{0, false, true}, x, layout, means);
    reduction_grad_on_cuda<A>(op, cuda, x, mask, grad_x,
                              Gradient<A>{grad.raw_data(), y.defined() ? y.raw_data() : nullptr, x.dtype(),
                                          means.data<A>(), A(freedom > 0 ? freedom : 0)});
  });
}

}  // namespace plumb
