#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: squared error of dense rows and its gradient. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

/// Sum of (p - t)^2 over n elements.
template <class A>
[[gnu::flatten]] A squared_error_row(const A* p, const A* t, int64_t n) {
  return pairwise_sum<A>(n, [p, t](auto& into, int64_t i) {
    __typeof__(into + into) other;
    read<A>(into, p + i);
    read<A>(other, t + i);
    into -= other;
    into *= into;
  });
}

/// Sum of (p - r) * ((p - r) + 2 (r - t)) over n elements.
template <class A>
[[gnu::flatten]] A error_gain_row(const A* p, const A* r, const A* t, int64_t n) {
  return pairwise_sum<A>(n, [p, r, t](auto& into, int64_t i) {
    __typeof__(into + into) ref, other;
    read<A>(into, p + i);
    read<A>(ref, r + i);
    read<A>(other, t + i);
    into -= ref;
    ref -= other;
    ref += ref;
    ref += into;
    into *= ref;
  });
}

/// grad_pred = factor * (p - t) and grad_target its negative, whichever is not null.
template <class A>
[[gnu::flatten]] void squared_error_grad_row(A factor, const A* p, const A* t, int64_t n, A* grad_pred,
                                             A* grad_target) {
  if (grad_pred && grad_target)
    vector_loop(n, [=](int64_t i) {
      const A g = factor * (p[i] - t[i]);
      grad_pred[i] = g;
      grad_target[i] = -g;
    });
  else if (grad_pred)
    vector_loop(n, [=](int64_t i) { grad_pred[i] = factor * (p[i] - t[i]); });
  else if (grad_target)
    vector_loop(n, [=](int64_t i) { grad_target[i] = -(factor * (p[i] - t[i])); });
}

template <class A>
constexpr SquaredErrorRows<A> make_squared_error_rows() {
  return {squared_error_row<A>, error_gain_row<A>, squared_error_grad_row<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
