#pragma once

#include <cstdint>

// Which function an elementwise kernel applies. Plain enums: variant sources and CUDA include this header too.
// The order is the order of the tables in engine/isa/elementwise_rows.h.

namespace plumb {

enum class UnaryOp : uint8_t {
  abs,
  neg,
  exp,
  expm1,
  log,
  log1p,
  sqrt,
  rsqrt,
  reciprocal,
  square,
  sin,
  cos,
  tanh,
  sigmoid,
  logsigmoid,
  softplus,
  relu,
  silu,
  gelu,
  gelu_tanh,
  erf,
  sign,
  floor,
  ceil,
  round,
  logical_not,  // from here on the result is a bool
  isnan,
  isfinite,
};
inline constexpr int kUnaryOps = 28;

enum class BinaryOp : uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  eq,  // from here on the result is a bool
  ne,
  lt,
  le,
  gt,
  ge,
  logical_and,
  logical_or,
};
inline constexpr int kBinaryOps = 15;

enum class TernaryOp : uint8_t {
  where,                  // a != 0 ? b : c
  clamp,                  // min(max(a, b), c)
  clamp_mask,             // b <= a <= c
  add_scaled,             // a + c * b
  div_backward_divisor,   // (grad, a, b)
  maximum_backward,       // (grad, kept, other)
  minimum_backward,       // (grad, kept, other)
  pow_backward_base,      // (grad, base, exponent)
  pow_backward_exponent,  // (grad, base, exponent)
};
inline constexpr int kTernaryOps = 9;

constexpr bool gives_bool(UnaryOp op) { return op >= UnaryOp::logical_not; }
constexpr bool gives_bool(BinaryOp op) { return op >= BinaryOp::eq; }

/// "silu", "add", … as in error messages and node names.
const char* name_of(UnaryOp op);
const char* name_of(BinaryOp op);
const char* name_of(TernaryOp op);
/// "silu_backward": of the ops that have one of their own.
const char* backward_name_of(UnaryOp op);

}  // namespace plumb
