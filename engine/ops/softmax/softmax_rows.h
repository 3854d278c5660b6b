#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/math.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: softmax of one dense line and its gradient; n >= 1. Three sweeps over a line that stays in the cache:
// maximum, exponentials and their sum, scaling. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

/// The integers that the bits of a float, or of a register of floats, are.
template <class V>
struct BitsOf {
  typedef int32_t Type __attribute__((vector_size(kRegisterBytes)));
};
template <>
struct BitsOf<float> {
  using Type = int32_t;
};

/// v = e^v for v <= 0 (or NaN), zero below e^-87; the steps of math::exp without what only larger results need.
/// Within 2 ulp. V: float or a register of floats.
template <class V>
[[gnu::always_inline]] inline void exp_of_nonpositive(V& v) {
  using Bits = typename BitsOf<V>::Type;
  const V shifted = v * 1.44269504f + math::kRoundMagic;
  const V n = shifted - math::kRoundMagic;
  const V r = (v - n * 0.693359375f) - n * -2.12194440e-4f;
  V p = ((0x1.6db4e4p-10f * r + 0x1.123be0p-7f) * r + 0x1.55545ep-5f) * r + 0x1.55548ep-3f;
  p = p * r + 0.5f;
  const V mantissa = 1.0f + (r + (r * r) * p);
  // shifted ends in n: adding 127 and moving it to the exponent field gives 2^n.
  const Bits power = (__builtin_bit_cast(Bits, shifted) + 127) << 23;
  const V y = mantissa * __builtin_bit_cast(V, power);
  v = v < -87.0f ? V{} : y;
}
/// double: the C library, lane by lane.
[[gnu::always_inline]] inline void exp_of_nonpositive(double& v) { v = math::exp(v); }
[[gnu::always_inline]] inline void exp_of_nonpositive(Register<double>& v) {
  double lanes[kRegisterBytes / sizeof(double)];
  write<double>(lanes, v);
  for (double& lane : lanes) lane = math::exp(lane);
  read<double>(v, lanes);
}

/// The largest element. A NaN may or may not be it; either way it ends up in the sum of exponentials.
template <class A>
[[gnu::always_inline]] inline A largest_of(const A* x, int64_t n) {
  return fold_row(x, n, [](auto& best, const auto& candidate) { best = candidate > best ? candidate : best; });
}

/// y = exp(x - max x) / sum
template <class A>
[[gnu::flatten]] void softmax_row(const A* x, int64_t n, A* y) {
  const A largest = largest_of(x, n);
  const A total = pairwise_sum<A>(n, [x, y, largest](auto& into, int64_t i) {
    read<A>(into, x + i);
    into -= largest;
    exp_of_nonpositive(into);
    write<A>(y + i, into);
  });
  const A scale = A(1) / total;
  vector_loop(n, [=](int64_t i) { y[i] *= scale; });
}

/// y = (x - max x) - log(sum of exp(x - max x))
template <class A>
[[gnu::flatten]] void log_softmax_row(const A* x, int64_t n, A* y) {
  const A largest = largest_of(x, n);
  const A total = pairwise_sum<A>(n, [x, largest](auto& into, int64_t i) {
    read<A>(into, x + i);
    into -= largest;
    exp_of_nonpositive(into);
  });
  const A log_total = math::log(total);
  vector_loop(n, [=](int64_t i) { y[i] = (x[i] - largest) - log_total; });
}

template <class A>
[[gnu::flatten]] void softmax_grad_row(const A* g, const A* y, int64_t n, A* grad_x) {
  const A dot = dot_row(g, y, n);
  vector_loop(n, [=](int64_t i) { grad_x[i] = y[i] * (g[i] - dot); });
}

template <class A>
[[gnu::flatten]] void log_softmax_grad_row(const A* g, const A* y, int64_t n, A* grad_x) {
  const A total = sum_row(g, n);
  vector_loop(n, [=](int64_t i) { grad_x[i] = g[i] - math::exp(y[i]) * total; });
}

template <class A>
constexpr SoftmaxRows<A> make_softmax_rows() {
  return {softmax_row<A>, log_softmax_row<A>, softmax_grad_row<A>, log_softmax_grad_row<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
