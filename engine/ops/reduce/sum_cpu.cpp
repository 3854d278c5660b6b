// Sum and mean on the CPU: the driver in reduce_cpu.h with lane-blocked additions in Acc<T>.

#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/sum_kernels.h"

namespace plumb {
namespace {

template <class A>
struct Sum {
  using Value = A;
  using State = A;

  const FoldRows<A>& rows = fold_rows<A>();

  A identity() const { return A(0); }
  A block(const A* x, int64_t n, int64_t) const { return rows.sum_block(x, n); }
  void columns(A* sums, const A* first, int64_t stride, int64_t count, int64_t n, int64_t) const {
    rows.sum_rows(first, stride, count, n, sums);
  }
  A combine(A earlier, A later) const { return earlier + later; }
  A finish(A total) const { return total; }
};

template <class A>
struct Mean : Sum<A> {
  A count = A(0);
  A finish(A total) const { return total / count; }
};

}  // namespace

void sum_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "sum", [&]<class T>() {
    using Out = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
    reduce_on_cpu<T, Out>(Sum<Acc<T>>{}, x, layout, out);
  });
}

void mean_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(Floats{}, x.dtype(), "mean", [&]<class T>() {
    reduce_on_cpu<T, T>(Mean<Acc<T>>{{}, Acc<T>(layout.count)}, x, layout, out);
  });
}

}  // namespace plumb
