#pragma once

#include "engine/backend.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/tensor.h"

// Each output has at least one element. out: contiguous.

namespace plumb {

enum class Extremum : uint8_t { max, min };

void extremum_kernel(Cpu, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// out: i64. The layout keeps row-major order.
void arg_extremum_kernel(Cpu, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out);
/// grad, y: contiguous, one element an output.
void extremum_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask, Tensor& grad_x);

// The same on CUDA.
void extremum_kernel(Cuda cuda, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void arg_extremum_kernel(Cuda cuda, Extremum which, const Tensor& x, const ReductionLayout& layout, Tensor& out);
void extremum_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask,
                              Tensor& grad_x);

}  // namespace plumb
