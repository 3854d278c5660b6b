#pragma once

#include <cstdint>

#include "engine/ops/reduce/pairwise.h"

// Internal: inner loops over dense arrays, written with explicit lanes so that the order of additions is the same
// whatever the vector width of the machine.

namespace plumb {

/// Lanes of one array register: 64 bytes, one AVX-512, two AVX or four SSE registers.
template <class A>
struct Lanes {
  static constexpr int kCount = 64 / int(sizeof(A));
  typedef A Vector __attribute__((vector_size(64)));
  typedef A Unaligned __attribute__((vector_size(64), aligned(sizeof(A)), may_alias));
};

/// The lanes at `x`, which need not be aligned, as a reference: registers wider than the machine's cannot be returned.
template <class A>
const typename Lanes<A>::Unaligned& load_lanes(const A* x) {
  return *reinterpret_cast<const typename Lanes<A>::Unaligned*>(x);
}

/// Folds the lanes of one register as a tree. `fold(into, value)` takes scalars and registers.
template <class A, class Fold>
inline A fold_across(const typename Lanes<A>::Vector& all, Fold fold) {
  A lanes[Lanes<A>::kCount];
  for (int lane = 0; lane < Lanes<A>::kCount; ++lane) lanes[lane] = all[lane];
  for (int width = Lanes<A>::kCount / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) fold(lanes[lane], lanes[lane + width]);
  return lanes[0];
}

/// into = the lanes, or the one element, at `x`.
template <class A>
inline void read(typename Lanes<A>::Vector& into, const A* x) {
  into = load_lanes(x);
}
template <class A>
inline void read(A& into, const A* x) {
  into = *x;
}

/// Folds map(0) … map(n - 1), n >= 1: four registers of lanes, then whole registers, then a tree over the lanes, then
/// the rest. `map(into, i)` fills a register with items i, i + 1, … or a scalar with item i.
template <class A, class Map, class Fold>
inline A fold_mapped(int64_t n, Map map, Fold fold) {
  using Vector = typename Lanes<A>::Vector;
  constexpr int64_t kOne = Lanes<A>::kCount, kFour = 4 * kOne;
  int64_t i = 0;
  A result;
  if (n >= kOne) {
    Vector a, next;
    map(a, 0);
    i = kOne;
    if (n >= kFour) {
      Vector b, c, d;
      map(b, kOne);
      map(c, 2 * kOne);
      map(d, 3 * kOne);
      for (i = kFour; i + kFour <= n; i += kFour) {
        map(next, i);
        fold(a, next);
        map(next, i + kOne);
        fold(b, next);
        map(next, i + 2 * kOne);
        fold(c, next);
        map(next, i + 3 * kOne);
        fold(d, next);
      }
      fold(a, b);
      fold(c, d);
      fold(a, c);
    }
    for (; i + kOne <= n; i += kOne) {
      map(next, i);
      fold(a, next);
    }
    result = fold_across<A>(a, fold);
  } else {
    map(result, 0);
    i = 1;
  }
  for (A next; i < n; ++i) {
    map(next, i);
    fold(result, next);
  }
  return result;
}

/// Folds the `n` >= 1 elements at `x`.
template <class A, class Fold>
inline A fold_lanes(const A* x, int64_t n, Fold fold) {
  return fold_mapped<A>(
      n, [x](auto& into, int64_t i) { read<A>(into, x + i); }, fold);
}

inline constexpr int64_t kReduceBlock = 1024;

/// Sum of map(0) … map(n - 1) as a pairwise tree over blocks of kReduceBlock; 0 for n = 0. `map` as in fold_mapped.
template <class A, class Map>
inline A pairwise_sum(int64_t n, Map map) {
  auto add = [](auto& into, const auto& value) { into += value; };
  if (n <= 0) return A(0);
  if (n <= kReduceBlock) return fold_mapped<A>(n, map, add);
  auto join = [](A earlier, A later) { return earlier + later; };
  Pairwise<A, decltype(join)> tree(join);
  for (int64_t first = 0; first < n; first += kReduceBlock) {
    const int64_t count = n - first < kReduceBlock ? n - first : kReduceBlock;
    tree.push(fold_mapped<A>(
        count, [&map, first](auto& into, int64_t i) { map(into, first + i); }, add));
  }
  return tree.finish();
}

}  // namespace plumb
