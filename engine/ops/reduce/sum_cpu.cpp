// Sum and mean on the CPU: the driver in reduce_cpu.h with lane-blocked additions in Acc<T>.

#include "engine/ops/reduce/block_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/sum_kernels.h"

namespace plumb {
namespace {

template <class A>
struct Sum {
  using Value = A;
  using State = A;

  A identity() const { return A(0); }
  A block(const A* x, int64_t n, int64_t) const {
    return fold_lanes(x, n, [](auto& into, const auto& value) { into += value; });
  }
  void columns(A* sums, const A* row, int64_t n, int64_t k, int64_t) const {
    if (k == 0)
      std::copy(row, row + n, sums);
    else
      for (int64_t i = 0; i < n; ++i) sums[i] += row[i];
  }
  A combine(A earlier, A later) const { return earlier + later; }
  A finish(A total) const { return total; }
};

template <class A>
struct Mean : Sum<A> {
  A count;
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
