// Elementwise kernels in float, compiled once an instruction set (see kernels.h).

// Instructions are ordered before registers are given out, where there are registers enough: see stages.h.
#if defined(__AVX512F__) && defined(__OPTIMIZE__) && !defined(__clang__)
#pragma GCC optimize("schedule-insns")
#endif

#include "engine/isa/elementwise_rows.h"
#include "engine/isa/variants.h"

namespace plumb::PLUMB_ISA {
namespace {

constexpr ElementwiseKernels make_table() {
  ElementwiseKernels table{};
  set_floating(table);
  table.unary[int(UnaryOp::sin)] = trig_row<Sin>;
  table.unary[int(UnaryOp::cos)] = trig_row<Cos>;
  table.unary_backward[int(UnaryOp::sin)] = trig_backward_row<Sin>;
  table.unary_backward[int(UnaryOp::cos)] = trig_backward_row<Cos>;
  return table;
}

}  // namespace

constinit const ElementwiseKernels elementwise_kernels = make_table();

}  // namespace plumb::PLUMB_ISA
