#pragma once

#include <cstdint>

#include "engine/ops/reduce/pairwise.h"
#include "engine/simd.h"

// Internal: folds over dense arrays, written with explicit lanes so that the order of operations, and with it every
// bit, is the same whatever the vector width of the machine. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

#if defined(__AVX512F__)
inline constexpr int kRegisterBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kRegisterBytes = 32;
#else
inline constexpr int kRegisterBytes = 16;
#endif

/// A register of this machine, and the integers of the same width that comparisons and bit patterns are made of.
/// Registers go by reference: passing them by value depends on the instruction set.
template <class A>
struct RegisterOf {
  typedef A Type __attribute__((vector_size(kRegisterBytes)));
  typedef A Unaligned __attribute__((vector_size(kRegisterBytes), aligned(sizeof(A)), may_alias));
  typedef A Half __attribute__((vector_size(32)));
  typedef A Quarter __attribute__((vector_size(16)));
};
template <class A>
using Register = typename RegisterOf<A>::Type;

/// The lanes sums are kept in: always 64 bytes, in as many registers as that takes.
template <class A>
struct Lanes {
  static constexpr int kCount = 64 / int(sizeof(A));
  static constexpr int kParts = 64 / kRegisterBytes;
  static constexpr int kPartCount = kCount / kParts;
  Register<A> part[kParts];
};

/// into = the register, or the one element, at `x`, which need not be aligned.
template <class A>
[[gnu::always_inline]] inline void read(Register<A>& into, const A* x) {
  into = *reinterpret_cast<const typename RegisterOf<A>::Unaligned*>(x);
}
template <class A>
[[gnu::always_inline]] inline void read(A& into, const A* x) {
  into = *x;
}
template <class A>
[[gnu::always_inline]] inline void write(A* y, const Register<A>& from) {
  *reinterpret_cast<typename RegisterOf<A>::Unaligned*>(y) = from;
}
template <class A>
[[gnu::always_inline]] inline void write(A* y, const A& from) {
  *y = from;
}

/// Register by register: map(into, i) for the lanes from item i on, fold(into, value).
template <class A, class Map>
[[gnu::always_inline]] inline void map_lanes(Lanes<A>& into, int64_t i, const Map& map) {
  for (int p = 0; p < Lanes<A>::kParts; ++p) map(into.part[p], i + p * Lanes<A>::kPartCount);
}
template <class A, class Fold>
[[gnu::always_inline]] inline void fold_lanes(Lanes<A>& into, const Lanes<A>& value, const Fold& fold) {
  for (int p = 0; p < Lanes<A>::kParts; ++p) fold(into.part[p], value.part[p]);
}

/// The halves of a register of 64 or 32 bytes folded onto each other.
template <class A, class Fold>
[[gnu::always_inline]] inline void fold_half(const Register<A>& all, typename RegisterOf<A>::Half& half,
                                             const Fold& fold) {
  if constexpr (kRegisterBytes == 64) {
    typename RegisterOf<A>::Half high;
    if constexpr (sizeof(A) == 4) {
      half = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7);
      high = __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15);
    } else {
      half = __builtin_shufflevector(all, all, 0, 1, 2, 3);
      high = __builtin_shufflevector(all, all, 4, 5, 6, 7);
    }
    fold(half, high);
  } else if constexpr (kRegisterBytes == 32) {
    half = all;
  }
}
template <class A, class Fold>
[[gnu::always_inline]] inline void fold_quarter(const Register<A>& all, typename RegisterOf<A>::Quarter& quarter,
                                                const Fold& fold) {
  if constexpr (kRegisterBytes == 16) {
    quarter = all;
  } else {
    typename RegisterOf<A>::Half half;
    typename RegisterOf<A>::Quarter high;
    fold_half<A>(all, half, fold);
    if constexpr (sizeof(A) == 4) {
      quarter = __builtin_shufflevector(half, half, 0, 1, 2, 3);
      high = __builtin_shufflevector(half, half, 4, 5, 6, 7);
    } else {
      quarter = __builtin_shufflevector(half, half, 0, 1);
      high = __builtin_shufflevector(half, half, 2, 3);
    }
    fold(quarter, high);
  }
}

/// Folds the upper half of the lanes onto the lower until one is left. `fold(into, value)` takes scalars and registers.
template <class A, class Fold>
[[gnu::always_inline]] inline A fold_across(Lanes<A>& all, const Fold& fold) {
  for (int parts = Lanes<A>::kParts / 2; parts > 0; parts /= 2)
    for (int p = 0; p < parts; ++p) fold(all.part[p], all.part[p + parts]);
  typename RegisterOf<A>::Quarter quarter;
  fold_quarter<A>(all.part[0], quarter, fold);
  if constexpr (sizeof(A) == 4) {
    typename RegisterOf<A>::Quarter high = __builtin_shufflevector(quarter, quarter, 2, 3, 2, 3);
    fold(quarter, high);
  }
  A result = quarter[0];
  const A other = quarter[1];
  fold(result, other);
  return result;
}

/// Folds map(0) … map(n - 1), n >= 1: four sets of lanes, then single sets, then a tree over the lanes, then the rest.
/// `map(into, i)` fills a register with items i, i + 1, … or a scalar with item i; each item is asked for once.
template <class A, class Map, class Fold>
[[gnu::always_inline]] inline A fold_mapped(int64_t n, Map map, Fold fold) {
  constexpr int64_t kOne = Lanes<A>::kCount, kFour = 4 * kOne;
  int64_t i = 0;
  A result;
  if (n >= kOne) {
    Lanes<A> a, next;
    map_lanes(a, 0, map);
    i = kOne;
    if (n >= kFour) {
      Lanes<A> b, c, d;
      map_lanes(b, kOne, map);
      map_lanes(c, 2 * kOne, map);
      map_lanes(d, 3 * kOne, map);
      for (i = kFour; i + kFour <= n; i += kFour) {
        map_lanes(next, i, map);
        fold_lanes(a, next, fold);
        map_lanes(next, i + kOne, map);
        fold_lanes(b, next, fold);
        map_lanes(next, i + 2 * kOne, map);
        fold_lanes(c, next, fold);
        map_lanes(next, i + 3 * kOne, map);
        fold_lanes(d, next, fold);
      }
      fold_lanes(a, b, fold);
      fold_lanes(c, d, fold);
      fold_lanes(a, c, fold);
    }
    for (; i + kOne <= n; i += kOne) {
      map_lanes(next, i, map);
      fold_lanes(a, next, fold);
    }
    result = fold_across(a, fold);
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
[[gnu::always_inline]] inline A fold_row(const A* x, int64_t n, Fold fold) {
  return fold_mapped<A>(
      n, [x](auto& into, int64_t i) { read<A>(into, x + i); }, fold);
}

inline constexpr int64_t kReduceBlock = 1024;

/// Sum of map(0) … map(n - 1) as a pairwise tree over blocks of kReduceBlock; 0 for n = 0. `map` as in fold_mapped.
template <class A, class Map>
[[gnu::always_inline]] inline A pairwise_sum(int64_t n, Map map) {
  auto add = [](auto& into, const auto& value) { into += value; };
  auto join = [](A earlier, A later) { return earlier + later; };
  if (n <= 0) return A(0);
  if (n <= kReduceBlock) return fold_mapped<A>(n, map, add);
  Pairwise<A, decltype(join)> tree(join);
  for (int64_t first = 0; first < n; first += kReduceBlock) {
    const int64_t count = n - first < kReduceBlock ? n - first : kReduceBlock;
    tree.push(fold_mapped<A>(
        count, [&map, first](auto& into, int64_t i) { map(into, first + i); }, add));
  }
  return tree.finish();
}

/// Sum of the `n` elements at `x`.
template <class A>
[[gnu::always_inline]] inline A sum_row(const A* x, int64_t n) {
  return pairwise_sum<A>(n, [x](auto& into, int64_t i) { read<A>(into, x + i); });
}

/// Sum of x[i] * y[i].
template <class A>
[[gnu::always_inline]] inline A dot_row(const A* x, const A* y, int64_t n) {
  return pairwise_sum<A>(n, [x, y](auto& into, int64_t i) {
    __typeof__(into + into) other;
    read<A>(into, x + i);
    read<A>(other, y + i);
    into *= other;
  });
}

/// best = candidate where that is larger (smaller) or a NaN; nothing beats a NaN, so the first one stays.
struct TakeLarger {
  template <class V, class W>
  void operator()(V& best, const W& candidate) const {
    best = (candidate > best) | (candidate != candidate) ? candidate : best;
  }
};
struct TakeSmaller {
  template <class V, class W>
  void operator()(V& best, const W& candidate) const {
    best = (candidate < best) | (candidate != candidate) ? candidate : best;
  }
};

}  // namespace
}  // namespace plumb::PLUMB_ISA
