#pragma once

#include "engine/isa/stages.h"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/simd.h"

// Internal: one row of geglu; n >= 1. Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

/// y = a gelu(b)
template <class T>
[[gnu::flatten]] void geglu_row(const T* a, const T* b, T* y, int64_t n) {
  staged_row(n, y, a, b, [](T scale, T gate) { return scale * Gelu::forward(gate); });
}

/// grad_b = g a gelu'(b); grad_a = g gelu(b) is geglu_row of g and b.
template <class T>
[[gnu::flatten]] void geglu_grad_gate_row(const T* g, const T* a, const T* b, T* grad_b, int64_t n) {
  staged_row(n, grad_b, g, a, b, [](T up, T scale, T gate) { return Gelu::backward(up * scale, gate); });
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
