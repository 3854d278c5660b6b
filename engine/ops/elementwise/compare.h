#pragma once

#include "engine/tensor.h"

// Comparisons and logic. Operands as in binary.h (one dtype, broadcast); every dtype is taken, the result is bool.
// A comparison with NaN is false, except ne.

namespace plumb {

/// a == b
Tensor eq(const Tensor& a, const Tensor& b);
/// a != b
Tensor ne(const Tensor& a, const Tensor& b);
/// a < b
Tensor lt(const Tensor& a, const Tensor& b);
/// a <= b
Tensor le(const Tensor& a, const Tensor& b);
/// a > b
Tensor gt(const Tensor& a, const Tensor& b);
/// a >= b
Tensor ge(const Tensor& a, const Tensor& b);

Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);

/// Both are not zero.
Tensor logical_and(const Tensor& a, const Tensor& b);
/// Either is not zero.
Tensor logical_or(const Tensor& a, const Tensor& b);

}  // namespace plumb
