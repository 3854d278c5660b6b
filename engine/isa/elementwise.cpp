// Elementwise kernels in float, compiled once an instruction set (see kernels.h).

// Instructions are ordered before registers are given out, where there are registers enough: see stages.h.
#if defined(__AVX512F__) && defined(__OPTIMIZE__) && !defined(__clang__)
#pragma GCC optimize("schedule-insns")
#endif

#include "engine/isa/elementwise_rows.h"
#include "engine/isa/silu_rows.h"
#include "engine/isa/variants.h"

namespace plumb::PLUMB_ISA {
namespace {

#if defined(__AVX512F__)
void by_hand_silu(const float* x, float* out, int64_t count) { silu_row(count, out, x); }
void by_hand_silu_backward(const float* grad, const float* x, float* out, int64_t count) {
  silu_backward_row(count, out, grad, x);
}
void by_hand_silu_pair(const float* x, float* out, float* derivative, int64_t count) {
  silu_pair_row_float(count, out, derivative, x);
}
#endif

constexpr ElementwiseKernels make_table() {
  ElementwiseKernels table{};
  set_floating(table);
  table.unary[int(UnaryOp::sin)] = trig_row<Sin>;
  table.unary[int(UnaryOp::cos)] = trig_row<Cos>;
  table.unary_backward[int(UnaryOp::sin)] = trig_backward_row<Sin>;
  table.unary_backward[int(UnaryOp::cos)] = trig_backward_row<Cos>;
#if defined(__AVX512F__)
  table.unary[int(UnaryOp::silu)] = by_hand_silu;
  table.unary_backward[int(UnaryOp::silu)] = by_hand_silu_backward;
  table.silu_with_derivative = by_hand_silu_pair;
#endif
  return table;
}

}  // namespace

constinit const ElementwiseKernels elementwise_kernels = make_table();

}  // namespace plumb::PLUMB_ISA
