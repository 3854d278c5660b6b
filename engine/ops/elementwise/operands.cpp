#include "engine/ops/elementwise/operands.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

void check_operands(const char* op, const Tensor& a, const Tensor& b) {
  require<ValueError>(a.defined() && b.defined(), "{}: operands must be defined; {} and {}", op, a, b);
  require<DTypeError>(a.dtype() == b.dtype(), "{}: operands must have one dtype, convert with to(); {} and {}", op, a,
                      b);
}

Tensor empty_result(const Shape& shape, const Tensor& like, DType dtype) {
  return like.shape() == shape ? empty_like(like, dtype) : empty(shape, dtype, like.device());
}

Tensor empty_broadcast(const char* op, const Tensor& a, const Tensor& b, DType dtype) {
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  return empty_result(shape, a.shape() == shape ? a : b, dtype);
}

void check_scalar(const char* op, const Tensor& x, double value) {
  require<ValueError>(x.defined(), "{}: operand must be defined", op);
  if (is_floating(x.dtype())) return;
  require<ValueError>(std::trunc(value) == value && std::abs(value) < 0x1p63,
                      "{}: a scalar for an integer tensor must be a whole number ({}); {}", op, value, x);
}

Tensor scalar_like(const Tensor& x, double value) {
  return scalar(value, is_floating(x.dtype()) ? acc_dtype(x.dtype()) : x.dtype(), x.device());
}

}  // namespace plumb
