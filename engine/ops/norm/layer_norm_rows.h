#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/math.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/simd.h"

// Internal: layer norm of one dense row and its gradient. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

template <class A>
[[gnu::flatten]] void layer_norm_row(const A* x, int64_t n, const LayerNormParameters<A>* parameters, A* y,
                                     RowStatistics<A>* statistics) {
  const A mean = sum_row(x, n) / A(n);
  auto squares = [x, mean](auto& into, int64_t i) {
    read<A>(into, x + i);
    into -= mean;
    into *= into;
  };
  const A rstd = A(1) / math::sqrt(pairwise_sum<A>(n, squares) / A(n) + parameters->eps);
  *statistics = {mean, rstd};
  const A *weight = parameters->weight, *bias = parameters->bias;
  if (weight && bias)
    vector_loop(n, [=](int64_t i) { y[i] = (x[i] - mean) * rstd * weight[i] + bias[i]; });
  else if (weight)
    vector_loop(n, [=](int64_t i) { y[i] = (x[i] - mean) * rstd * weight[i]; });
  else if (bias)
    vector_loop(n, [=](int64_t i) { y[i] = (x[i] - mean) * rstd + bias[i]; });
  else
    vector_loop(n, [=](int64_t i) { y[i] = (x[i] - mean) * rstd; });
}

/// grad_x = rstd * (h - mean(h) - normal * mean(h * normal)), h = g * weight, normal = (x - mean) * rstd.
template <class A>
[[gnu::flatten]] void layer_norm_grad_row(const A* g, const A* x, int64_t n, const A* weight,
                                          const RowStatistics<A>* statistics, A* grad_x) {
  const A mean = statistics->mean, rstd = statistics->rstd;
  auto scaled = [g, weight](auto& into, int64_t i) {
    read<A>(into, g + i);
    if (!weight) return;
    __typeof__(into + into) factor;
    read<A>(factor, weight + i);
    into *= factor;
  };
  auto projected = [scaled, x, mean, rstd](auto& into, int64_t i) {
    __typeof__(into + into) normal;
    read<A>(normal, x + i);
    normal -= mean;
    normal *= rstd;
    scaled(into, i);
    into *= normal;
  };
  const A mean_h = pairwise_sum<A>(n, scaled) / A(n), mean_projected = pairwise_sum<A>(n, projected) / A(n);
  if (weight)
    vector_loop(
        n, [=](int64_t i) { grad_x[i] = rstd * (g[i] * weight[i] - mean_h - (x[i] - mean) * rstd * mean_projected); });
  else
    vector_loop(n, [=](int64_t i) { grad_x[i] = rstd * (g[i] - mean_h - (x[i] - mean) * rstd * mean_projected); });
}

/// weight_sums += g * normal, bias_sums += g; `first` starts them instead.
template <class A>
[[gnu::flatten]] void layer_norm_fold_row(const A* g, const A* x, int64_t n, const RowStatistics<A>* statistics,
                                          bool first, A* sums) {
  const A mean = statistics->mean, rstd = statistics->rstd;
  A* bias_sums = sums + n;
  if (first)
    vector_loop(n, [=](int64_t i) {
      sums[i] = g[i] * ((x[i] - mean) * rstd);
      bias_sums[i] = g[i];
    });
  else
    vector_loop(n, [=](int64_t i) {
      sums[i] += g[i] * ((x[i] - mean) * rstd);
      bias_sums[i] += g[i];
    });
}

template <class A>
constexpr LayerNormRows<A> make_layer_norm_rows() {
  return {layer_norm_row<A>, layer_norm_grad_row<A>, layer_norm_fold_row<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
