// Variance on the CPU: a block takes two passes over data that is in the cache (mean, then squares about it); blocks
// are joined (moments.h), columns updated by Welford's formula.

#include <cmath>

#include "engine/ops/reduce/moments.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/reduction_grad_cpu.h"
#include "engine/ops/reduce/variance_kernels.h"

namespace plumb {
namespace {

template <class A>
A mean_of(const A* x, int64_t n) {
  return sum_row(x, n) / A(n);
}

template <class A>
struct Variance {
  using Value = A;
  using State = Moments<A>;

  double correction;
  bool root;

  State identity() const { return {0, A(0), A(0)}; }
  State block(const A* x, int64_t n, int64_t) const {
    const A mean = mean_of(x, n);
    auto squares = [x, mean](auto& into, int64_t i) {
      read<A>(into, x + i);
      into -= mean;
      into *= into;
    };
    return {n, mean, pairwise_sum<A>(n, squares)};
  }
  void columns(State* states, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t) const {
    for (int64_t i = 0; i < n; ++i) {
      State s = {count, rows[i], A(0)};
      for (int64_t k = 1; k < count; ++k) {
        const A element = rows[k * stride + i], delta = element - s.mean;
        s.mean += delta / A(k + 1);
        s.squares += delta * (element - s.mean);
      }
      states[i] = s;
    }
  }
  State combine(const State& earlier, const State& later) const { return State::joined(earlier, later); }
  A finish(const State& s) const {
    const A variance = s.squares / A(std::max(0.0, double(s.count) - correction));
    return root ? std::sqrt(variance) : variance;
  }
};

}  // namespace

void variance_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, double correction, bool root, Tensor& out) {
  visit_dtype(Floats{}, x.dtype(), "var", [&]<class T>() {
    reduce_on_cpu<T, T>(Variance<Acc<T>>{correction, root}, x, layout, out);
  });
}

void variance_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              double correction, Tensor& grad_x) {
  visit_dtype(Floats{}, x.dtype(), "var_backward", [&]<class T>() {
    using A = Acc<T>;
    const T* g = grad.data<T>();
    const T* roots = y.defined() ? y.data<T>() : nullptr;
    reduction_grad_on_cpu<T>(x, mask, grad_x, [=](A* elements, int64_t count, int64_t output) {
      const A mean = mean_of(elements, count);
      A factor = load_as<A>(g[output]) * A(2) / A(std::max(0.0, double(count) - correction));
      if (roots) {
        const A root = load_as<A>(roots[output]);
        factor = root == A(0) ? A(0) : factor / (A(2) * root);
      }
      for (int64_t i = 0; i < count; ++i) elements[i] = factor * (elements[i] - mean);
    });
  });
}

}  // namespace plumb
