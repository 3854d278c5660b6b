// any and all on the CPU. No early exit: they are asked of small masks, and one path keeps the driver simple.

#include "engine/ops/reduce/any_all_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"

namespace plumb {
namespace {

template <class A, bool kAll>
struct AnyAll {
  using Value = A;
  using State = uint8_t;

  State identity() const { return kAll; }
  State block(const A* x, int64_t n, int64_t) const {
    State found = kAll;
    for (int64_t i = 0; i < n; ++i) found = combine(found, x[i] != A(0));
    return found;
  }
  void columns(State* states, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t) const {
    std::fill(states, states + n, identity());
    for (int64_t k = 0; k < count; ++k)
      for (int64_t i = 0; i < n; ++i) states[i] = combine(states[i], rows[k * stride + i] != A(0));
  }
  State combine(State earlier, State later) const { return kAll ? earlier & later : earlier | later; }
  State finish(State found) const { return found; }
};

}  // namespace

void any_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "any",
              [&]<class T>() { reduce_on_cpu<T, bool>(AnyAll<Acc<T>, false>{}, x, layout, out); });
}

void all_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "all",
              [&]<class T>() { reduce_on_cpu<T, bool>(AnyAll<Acc<T>, true>{}, x, layout, out); });
}

}  // namespace plumb
