#pragma once

#include <cstdint>

#include "engine/ops/elementwise/elementwise_op.h"

namespace plumb {

/// out[i] = f(x[i]); arrays may be the same, and must not overlap otherwise.
template <class T>
using UnaryRow = void (*)(const T* x, T* out, int64_t count);
/// out[i] = f(x[i]) and derivative[i] = f'(x[i]); three different arrays.
template <class T>
using UnaryPairRow = void (*)(const T* x, T* out, T* derivative, int64_t count);
template <class T>
using BinaryRow = void (*)(const T* a, const T* b, T* out, int64_t count);
template <class T>
using TernaryRow = void (*)(const T* a, const T* b, const T* c, T* out, int64_t count);

/// The same function with one operand a single element, read once.
template <class T>
struct BinaryRows {
  BinaryRow<T> both;
  BinaryRow<T> scalar_left;
  BinaryRow<T> scalar_right;
};

/// The same with the last, or the last two, operands single elements; null where nobody needs the form.
template <class T>
struct TernaryRows {
  TernaryRow<T> all;
  TernaryRow<T> scalar_c;
  TernaryRow<T> scalars_b_c;
};

/// Row functions in compute type T, by op; null where T does not know the op.
template <class T>
struct ElementwiseTable {
  UnaryRow<T> unary[kUnaryOps];
  BinaryRow<T> unary_backward[kUnaryOps];  // (grad, input or output)
  UnaryPairRow<T> silu_with_derivative;
  BinaryRow<T> geglu;             // (a, b)
  TernaryRow<T> geglu_grad_gate;  // (grad, a, b)
  BinaryRows<T> binary[kBinaryOps];
  TernaryRows<T> ternary[kTernaryOps];
};

using ElementwiseKernels = ElementwiseTable<float>;

}  // namespace plumb
