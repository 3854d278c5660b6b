// logsumexp on the CPU in one pass: a state is the largest element so far and the sum of exponentials relative to it
// (scaled_sum.h).

#include <cmath>

#include "engine/ops/reduce/logsumexp_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/reduction_grad_cpu.h"
#include "engine/ops/reduce/scaled_sum.h"

namespace plumb {
namespace {

template <class A>
struct LogSumExp {
  using Value = A;
  using State = ScaledSum<A>;

  State identity() const { return State::none(); }

  State block(const A* x, int64_t n, int64_t) const {
    A largest = -State::kInfinity;
    for (int64_t i = 0; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
    if (std::isinf(largest)) {
      // Only a NaN, or the infinity itself, can still matter.
      State state = identity();
      for (int64_t i = 0; i < n; ++i) state = combine(state, State::of(x[i]));
      return state;
    }
    A terms[kReduceBlock];
    vector_loop(n, [x, largest, &terms](int64_t i) { terms[i] = math::exp(x[i] - largest); });
    return {largest, sum_row(terms, n)};
  }

  void columns(State* states, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t) const {
    for (int64_t i = 0; i < n; ++i) {
      State state = State::of(rows[i]);
      for (int64_t k = 1; k < count; ++k) state = combine(state, State::of(rows[k * stride + i]));
      states[i] = state;
    }
  }

  State combine(const State& a, const State& b) const { return State::joined(a, b); }
  A finish(const State& state) const { return state.log(); }
};

}  // namespace

void logsumexp_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(Floats{}, x.dtype(), "logsumexp",
              [&]<class T>() { reduce_on_cpu<T, T>(LogSumExp<Acc<T>>{}, x, layout, out); });
}

void logsumexp_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                               Tensor& grad_x) {
  visit_dtype(Floats{}, x.dtype(), "logsumexp_backward", [&]<class T>() {
    using A = Acc<T>;
    const T *g = grad.data<T>(), *values = y.data<T>();
    reduction_grad_on_cpu<T>(x, mask, grad_x, [=](A* elements, int64_t count, int64_t output) {
      const A value = load_as<A>(values[output]), upstream = load_as<A>(g[output]);
      const bool nothing = value == -ScaledSum<A>::kInfinity;
      for (int64_t i = 0; i < count; ++i) elements[i] = nothing ? A(0) : upstream * math::exp(elements[i] - value);
    });
  });
}

}  // namespace plumb
