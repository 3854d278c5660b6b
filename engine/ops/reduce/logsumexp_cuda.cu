// logsumexp in one pass: a fold (folds.cuh) whose state is the largest element so far and the sum of exponentials
// relative to it, as on the CPU. Infinite maxima are kept apart from the sums, so that inf - inf never appears.

#include "engine/math.h"
#include "engine/ops/reduce/logsumexp_kernels.h"
#include "engine/ops/reduce/reduce_cuda.cuh"

namespace plumb {
namespace {

/// sum of exp(x) = scaled * exp(largest). With an infinite largest, `scaled` is 0 (-inf), 1 (+inf) or NaN.
template <class A>
struct ScaledSum {
  A largest;
  A scaled;
};

template <class A>
struct LogSumExp {
  using State = ScaledSum<A>;
  static constexpr A kInfinity = A(__builtin_inf());

  __device__ State identity() const { return {-kInfinity, A(0)}; }
  __device__ State one(A x, int64_t) const { return {x, x == -kInfinity ? A(0) : x != x ? x : A(1)}; }
  __device__ State combine(const State& a, const State& b) const {
    if (a.scaled != a.scaled || b.scaled == A(0)) return a;
    if (b.scaled != b.scaled || a.scaled == A(0)) return b;
    const State &high = a.largest >= b.largest ? a : b, &low = a.largest >= b.largest ? b : a;
    if (high.largest == kInfinity) return high;
    return {high.largest, high.scaled + low.scaled * math::exp(low.largest - high.largest)};
  }
  __device__ A finish(const State& state) const { return state.largest + math::log(state.scaled); }
};

template <class A>
struct Gradient {
  const void *grad, *y;
  DType dtype;
  __device__ A operator()(A element, int64_t output) const {
    const A value = load_element<A>(y, dtype, output);
    if (value == -LogSumExp<A>::kInfinity) return A(0);
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
