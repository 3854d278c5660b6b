#include "engine/ops/elementwise/elementwise_op.h"

namespace plumb {

const char* name_of(UnaryOp op) {
  static constexpr const char* kNames[] = {
      "abs", "neg",  "exp",   "expm1",   "log",        "log1p",       "sqrt",  "rsqrt",    "reciprocal", "square",
      "sin", "cos",  "tanh",  "sigmoid", "logsigmoid", "softplus",    "relu",  "silu",     "gelu",       "gelu",
      "erf", "sign", "floor", "ceil",    "round",      "logical_not", "isnan", "isfinite",
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kUnaryOps);
  return kNames[int(op)];
}

const char* backward_name_of(UnaryOp op) {
  static constexpr const char* kNames[] = {
      "abs_backward",         "neg_backward",   "exp_backward",      "expm1_backward",      "log_backward",
      "log1p_backward",       "sqrt_backward",  "rsqrt_backward",    "reciprocal_backward", "square_backward",
      "sin_backward",         "cos_backward",   "tanh_backward",     "sigmoid_backward",    "logsigmoid_backward",
      "softplus_backward",    "relu_backward",  "silu_backward",     "gelu_backward",       "gelu_backward",
      "erf_backward",         "sign_backward",  "floor_backward",    "ceil_backward",       "round_backward",
      "logical_not_backward", "isnan_backward", "isfinite_backward",
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kUnaryOps);
  return kNames[int(op)];
}

const char* name_of(BinaryOp op) {
  static constexpr const char* kNames[] = {
      "add", "sub", "mul", "div", "pow", "maximum",     "minimum",    "eq",
      "ne",  "lt",  "le",  "gt",  "ge",  "logical_and", "logical_or",
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kBinaryOps);
  return kNames[int(op)];
}

const char* name_of(TernaryOp op) {
  static constexpr const char* kNames[] = {
      "where",
      "clamp",
      "clamp_backward",
      "add_scaled",
      "div_backward",
      "maximum_backward",
      "minimum_backward",
      "pow_backward",
      "pow_backward",
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kTernaryOps);
  return kNames[int(op)];
}

}  // namespace plumb
