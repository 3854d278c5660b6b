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

/// sums = the sum, in order, of `count` >= 1 rows of n elements that lie `stride` apart.
template <class A>
[[gnu::flatten]] void sum_rows(const A* rows, int64_t stride, int64_t count, int64_t n, A* sums) {
  constexpr int64_t kOne = kRegisterBytes / int64_t(sizeof(A)), kFour = 4 * kOne;
  int64_t i = 0;
  for (Register<A> a, b, c, d, next; i + kFour <= n; i += kFour) {
    read<A>(a, rows + i);
    read<A>(b, rows + i + kOne);
    read<A>(c, rows + i + 2 * kOne);
    read<A>(d, rows + i + 3 * kOne);
    for (int64_t r = 1; r < count; ++r) {
      const A* row = rows + r * stride + i;
      read<A>(next, row);
      a += next;
      read<A>(next, row + kOne);
      b += next;
      read<A>(next, row + 2 * kOne);
      c += next;
      read<A>(next, row + 3 * kOne);
      d += next;
    }
    write<A>(sums + i, a);
    write<A>(sums + i + kOne, b);
    write<A>(sums + i + 2 * kOne, c);
    write<A>(sums + i + 3 * kOne, d);
  }
  for (; i < n; ++i) {
    A total = rows[i];
    for (int64_t r = 1; r < count; ++r) total += rows[r * stride + i];
    sums[i] = total;
  }
}

template <class A>
constexpr FoldRows<A> make_fold_rows() {
  return {sum_block<A>, max_block<A>, min_block<A>, sum_rows<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
