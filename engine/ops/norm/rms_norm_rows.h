#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/math.h"
#include "engine/ops/norm/layer_norm_rows.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: rms norm of one dense row and its gradient: a layer norm whose mean is 0. Compiled once an instruction set
// (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

template <class A>
[[gnu::flatten]] void rms_norm_row(const A* x, int64_t n, const LayerNormParameters<A>* parameters, A* y,
                                   RowStatistics<A>* statistics) {
  const A rstd = A(1) / math::sqrt(dot_row(x, x, n) / A(n) + parameters->eps);
  *statistics = {A(0), rstd};
  const A* weight = parameters->weight;
  if (weight)
    vector_loop(n, [=](int64_t i) { y[i] = x[i] * rstd * weight[i]; });
  else
    vector_loop(n, [=](int64_t i) { y[i] = x[i] * rstd; });
}

/// grad_x = rstd * (h - normal * mean(h * normal)), h = g * weight, normal = x * rstd.
template <class A>
[[gnu::flatten]] void rms_norm_grad_row(const A* g, const A* x, int64_t n, const A* weight,
                                        const RowStatistics<A>* statistics, A* grad_x) {
  const A rstd = statistics->rstd;
  auto projected = [g, weight, x, rstd](auto& into, int64_t i) {
    __typeof__(into + into) factor;
    read<A>(into, g + i);
    if (weight) {
      read<A>(factor, weight + i);
      into *= factor;
    }
    read<A>(factor, x + i);
    factor *= rstd;
    into *= factor;
  };
  const A mean_projected = pairwise_sum<A>(n, projected) / A(n);
  if (weight)
    vector_loop(n, [=](int64_t i) { grad_x[i] = rstd * (g[i] * weight[i] - x[i] * rstd * mean_projected); });
  else
    vector_loop(n, [=](int64_t i) { grad_x[i] = rstd * (g[i] - x[i] * rstd * mean_projected); });
}

template <class A>
constexpr LayerNormRows<A> make_rms_norm_rows() {
  return {rms_norm_row<A>, rms_norm_grad_row<A>, layer_norm_fold_row<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
