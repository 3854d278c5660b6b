#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: the folds of plain reductions over dense rows. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

/// Sum of at most kReduceBlock elements, n >= 1.
template <class A>
[[gnu::flatten]] A sum_block(const A* x, int64_t n) {
  return fold_row(x, n, [](auto& into, const auto& value) { into += value; });
}

template <class A>
[[gnu::flatten]] A max_block(const A* x, int64_t n) {
  return fold_row(x, n, TakeLarger{});
}

template <class A>
[[gnu::flatten]] A min_block(const A* x, int64_t n) {
  return fold_row(x, n, TakeSmaller{});
}

/// sums of kVectors vectors of columns side by side, as sum_rows.
template <class V, int kVectors, class A>
[[gnu::always_inline]] inline void sum_columns(const A* rows, int64_t stride, int64_t count, A* sums) {
  V total[kVectors], next;
  __builtin_memcpy(total, rows, sizeof total);
  for (int64_t r = 1; r < count; ++r)
    for (int v = 0; v < kVectors; ++v) {
      __builtin_memcpy(&next, rows + r * stride + v * int64_t(sizeof(V) / sizeof(A)), sizeof next);
      total[v] += next;
    }
  __builtin_memcpy(sums, total, sizeof total);
}

/// sums = the sum, in order, of `count` >= 1 rows of n elements that lie `stride` apart. Columns left over by four
/// registers go through ever smaller ones: a picture of 24 channels has no more.
template <class A>
[[gnu::flatten]] void sum_rows(const A* rows, int64_t stride, int64_t count, int64_t n, A* sums) {
  int64_t i = 0;
  const auto run = [&]<class V, int kVectors>() __attribute__((always_inline)) {
    constexpr int64_t kColumns = kVectors * int64_t(sizeof(V) / sizeof(A));
    for (; i + kColumns <= n; i += kColumns) sum_columns<V, kVectors>(rows + i, stride, count, sums + i);
  };
  run.template operator()<Register<A>, 4>();
  run.template operator()<Register<A>, 1>();
  if constexpr (kRegisterBytes > 32) run.template operator()<typename RegisterOf<A>::Half, 1>();
  if constexpr (kRegisterBytes > 16) run.template operator()<typename RegisterOf<A>::Quarter, 1>();
  run.template operator()<A, 1>();
}

template <class A>
constexpr FoldRows<A> make_fold_rows() {
  return {sum_block<A>, max_block<A>, min_block<A>, sum_rows<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
