#pragma once

#include "engine/backend.h"
#include "engine/ops/loss/reduction.h"
#include "engine/tensor.h"

// Kernels behind mse, sample_error and error_gain. pred and target: contiguous, same shape and dtype, split into `rows`
// runs.

namespace plumb {

/// Throws unless pred and target (called `name` in the message) are floating and agree in shape, dtype and device.
void check_error_operands(const char* op, const Tensor& pred, const Tensor& target, const char* name = "target");

/// Elements of a sample for the mean, 1 for the sum.
double sample_divisor(const Tensor& x, Reduction reduction);

/// out[r] = sum over row r of (pred - target)^2 / divisor. out: [rows] in Acc<T>.
void squared_error_kernel(Cpu, const Tensor& pred, const Tensor& target, int64_t rows, double divisor, Tensor& out);
/// grad_pred = 2 grad[r] / divisor (pred - target), grad_target = -grad_pred; undefined ones are skipped.
void squared_error_backward_kernel(Cpu, const Tensor& grad, const Tensor& pred, const Tensor& target, double divisor,
                                   Tensor& grad_pred, Tensor& grad_target);

/// out[n] = sum over sample n of (pred - ref) ((pred - ref) + 2 (ref - target)) / divisor. ref: like pred.
void error_gain_kernel(Cpu, const Tensor& pred, const Tensor& ref, const Tensor& target, double divisor, Tensor& out);

/// out = (pred - target)^2 element by element.
void squared_difference_kernel(Cpu, const Tensor& pred, const Tensor& target, Tensor& out);
/// As squared_error_backward_kernel with one gradient an element, in the dtype of pred.
void squared_difference_backward_kernel(Cpu, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                        Tensor& grad_pred, Tensor& grad_target);

// The same on CUDA.
void squared_error_kernel(Cuda cuda, const Tensor& pred, const Tensor& target, int64_t rows, double divisor,
                          Tensor& out);
void squared_error_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                   double divisor, Tensor& grad_pred, Tensor& grad_target);
void error_gain_kernel(Cuda cuda, const Tensor& pred, const Tensor& ref, const Tensor& target, double divisor,
                       Tensor& out);
void squared_difference_kernel(Cuda cuda, const Tensor& pred, const Tensor& target, Tensor& out);
void squared_difference_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                        Tensor& grad_pred, Tensor& grad_target);

}  // namespace plumb
