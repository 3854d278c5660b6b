// max, min, argmax, argmin on the CPU. A candidate replaces the best so far when it beats it or is a NaN; nothing beats
// a NaN, so the first one stays.

#include "engine/ops/reduce/extremum_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/reduction_grad_cpu.h"

namespace plumb {
namespace {

template <Extremum kWhich>
using Better = std::conditional_t<kWhich == Extremum::max, TakeLarger, TakeSmaller>;

/// Largest or smallest of a block.
template <class A, Extremum kWhich>
A best_of(const A* x, int64_t n) {
  return kWhich == Extremum::max ? fold_rows<A>().max_block(x, n) : fold_rows<A>().min_block(x, n);
}

template <class A, Extremum kWhich>
struct ExtremumOf {
  using Value = A;
  using State = A;

  A identity() const { return A(0); }  // never asked for: empty inputs are refused
  A block(const A* x, int64_t n, int64_t) const { return best_of<A, kWhich>(x, n); }
  void columns(A* best, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t) const {
    std::copy(rows, rows + n, best);
    for (int64_t k = 1; k < count; ++k)
      vector_loop(n, [best, row = rows + k * stride](int64_t i) { Better<kWhich>{}(best[i], row[i]); });
  }
  A combine(A earlier, A later) const {
    Better<kWhich>{}(earlier, later);
    return earlier;
  }
  A finish(A best) const { return best; }
};

template <class A>
struct Place {
  A value;
  int64_t index;
};

template <class A, Extremum kWhich>
struct ArgExtremumOf {
  using Value = A;
  using State = Place<A>;

  /// Whether `later` takes the place of `earlier`: strictly better, or the first NaN.
  static bool wins(A later, A earlier) {
    const bool beats = kWhich == Extremum::max ? later > earlier : later < earlier;
    return beats | ((later != later) & (earlier == earlier));
  }
  State identity() const { return {A(0), 0}; }
  State block(const A* x, int64_t n, int64_t first) const {
    const A best = best_of<A, kWhich>(x, n);
    int64_t i = 0;
    while (x[i] != best && x[i] == x[i]) ++i;
    return {x[i], first + i};
  }
  void columns(State* best, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t first) const {
    for (int64_t i = 0; i < n; ++i) best[i] = {rows[i], first};
    for (int64_t k = 1; k < count; ++k)
      for (int64_t i = 0; i < n; ++i)
        if (wins(rows[k * stride + i], best[i].value)) best[i] = {rows[k * stride + i], first + k};
  }
  State combine(const State& earlier, const State& later) const {
    return wins(later.value, earlier.value) ? later : earlier;
  }
  int64_t finish(const State& best) const { return best.index; }
};

}  // namespace

void extremum_kernel(Cpu, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "max", [&]<class T>() {
    if (which == Extremum::max)
      reduce_on_cpu<T, T>(ExtremumOf<Acc<T>, Extremum::max>{}, x, layout, out);
    else
      reduce_on_cpu<T, T>(ExtremumOf<Acc<T>, Extremum::min>{}, x, layout, out);
  });
}

void arg_extremum_kernel(Cpu, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "argmax", [&]<class T>() {
    if (which == Extremum::max)
      reduce_on_cpu<T, int64_t>(ArgExtremumOf<Acc<T>, Extremum::max>{}, x, layout, out);
    else
      reduce_on_cpu<T, int64_t>(ArgExtremumOf<Acc<T>, Extremum::min>{}, x, layout, out);
  });
}

void extremum_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, Tensor& grad_x) {
  visit_dtype(Floats{}, x.dtype(), "max_backward", [&]<class T>() {
    using A = Acc<T>;
    const T *g = grad.data<T>(), *best = y.data<T>();
    reduction_grad_on_cpu<T>(x, mask, grad_x, [=](A* elements, int64_t count, int64_t output) {
      const A extreme = load_as<A>(best[output]);
      int64_t ties = 0;
      for (int64_t i = 0; i < count; ++i) ties += elements[i] == extreme;
      // No tie at all means a NaN: 0 / 0 passes it on, as torch does.
      for (int64_t i = 0; i < count; ++i) elements[i] = A(elements[i] == extreme) * load_as<A>(g[output]) / A(ties);
    });
  });
}

}  // namespace plumb
