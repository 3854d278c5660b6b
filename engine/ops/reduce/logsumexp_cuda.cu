// logsumexp in one pass: a fold (folds.cuh) whose state is the largest element so far and the sum of exponentials
// relative to it (scaled_sum.h), as on the CPU.

#include "engine/math.h"
#include "engine/ops/reduce/logsumexp_kernels.h"
#include "engine/ops/reduce/reduce_cuda.cuh"
#include "engine/ops/reduce/scaled_sum.h"

namespace plumb {
namespace {

template <class A>
struct LogSumExp {
  using State = ScaledSum<A>;
  __device__ State identity() const { return State::none(); }
  __device__ State one(A x, int64_t) const { return State::of(x); }
  __device__ State combine(const State& a, const State& b) const { return State::joined(a, b); }
  __device__ A finish(const State& state) const { return state.log(); }
};

template <class A>
struct Gradient {
  const void *grad, *y;
  DType dtype;
  __device__ A operator()(A element, int64_t output) const {
    const A value = load_element<A>(y, dtype, output);
    if (value == -ScaledSum<A>::kInfinity) return A(0);
    return load_element<A>(grad, dtype, output) * math::exp(element - value);
  }
};

}  // namespace

void logsumexp_kernel(Cuda cuda, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_acc(x.dtype(), [&]<class A>() { reduce_on_cuda<A>("logsumexp", cuda, LogSumExp<A>{}, x, layout, out); });
}

void logsumexp_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                               Tensor& grad_x) {
  visit_acc(x.dtype(), [&]<class A>() {
    reduction_grad_on_cuda<A>("logsumexp_backward", cuda, x, mask, grad_x,
                              Gradient<A>{grad.raw_data(), y.raw_data(), x.dtype()});
  });
}

}  // namespace plumb
