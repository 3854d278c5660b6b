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

// Not on CUDA yet.
void extremum_kernel(Cuda cuda, const auto&...) { cpu_only("max", cuda); }
void arg_extremum_kernel(Cuda cuda, const auto&...) { cpu_only("argmax", cuda); }
void extremum_backward_kernel(Cuda cuda, const auto&...) { cpu_only("max", cuda); }

}  // namespace plumb
