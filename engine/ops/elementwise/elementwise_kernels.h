#pragma once

#include "engine/backend.h"
#include "engine/ops/elementwise/elementwise_op.h"
#include "engine/tensor.h"

// Kernels behind the elementwise ops. Shapes, dtypes and devices have been checked, inputs broadcast to out's shape,
// and out has at least one element. Floats are computed in float (double for f64), integers and bool in int64.

namespace plumb {

/// Throws DTypeError when the compute type of x does not know the op (exp of integers, say).
void unary_kernel(Cpu, UnaryOp op, const Tensor& x, Tensor& out);
/// `z` is the op's input or output, whichever its derivative is written in.
void unary_backward_kernel(Cpu, UnaryOp op, const Tensor& grad, const Tensor& z, Tensor& out);
/// All three f32 or f64 and contiguous.
void silu_with_derivative_kernel(Cpu, const Tensor& x, Tensor& out, Tensor& derivative);
void binary_kernel(Cpu, BinaryOp op, const Tensor& a, const Tensor& b, Tensor& out);
/// x op value, or value op x. The value is not rounded to a 16-bit type before it is used.
void binary_scalar_kernel(Cpu, BinaryOp op, const Tensor& x, double value, bool scalar_left, Tensor& out);
void ternary_kernel(Cpu, TernaryOp op, const Tensor& a, const Tensor& b, const Tensor& c, Tensor& out);

// The same on CUDA.
void unary_kernel(Cuda cuda, UnaryOp op, const Tensor& x, Tensor& out);
void unary_backward_kernel(Cuda cuda, UnaryOp op, const Tensor& grad, const Tensor& z, Tensor& out);
void silu_with_derivative_kernel(Cuda cuda, const Tensor& x, Tensor& out, Tensor& derivative);
void binary_kernel(Cuda cuda, BinaryOp op, const Tensor& a, const Tensor& b, Tensor& out);
void binary_scalar_kernel(Cuda cuda, BinaryOp op, const Tensor& x, double value, bool scalar_left, Tensor& out);
void ternary_kernel(Cuda cuda, TernaryOp op, const Tensor& a, const Tensor& b, const Tensor& c, Tensor& out);

}  // namespace plumb
