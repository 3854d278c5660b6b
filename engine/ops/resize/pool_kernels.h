#pragma once

#include <vector>

#include "engine/backend.h"
#include "engine/tensor.h"

// x: [N, C, H, W], y: [N, C, H', W'], each contiguous or channels-last, of one dtype. Nothing is empty.

namespace plumb {

/// Input pixels begin … end - 1 of an output pixel along one dimension; begin < end unless it sees padding alone.
struct PixelRun {
  int64_t begin, end;
  int64_t divisor;  // 1 / its share of the mean
};
/// One entry an output row, one an output column.
struct PixelRuns {
  std::vector<PixelRun> rows, columns;
};

/// y = sum over the rectangle / (row divisor * column divisor).
void pool_kernel(Cpu, const Tensor& x, const PixelRuns& runs, Tensor& y);
/// Fills grad_x.
void pool_backward_kernel(Cpu, const Tensor& grad, const PixelRuns& runs, Tensor& grad_x);

// Not on CUDA yet.
void pool_kernel(Cuda cuda, const auto&...) { cpu_only("avg_pool2d", cuda); }
void pool_backward_kernel(Cuda cuda, const auto&...) { cpu_only("avg_pool2d", cuda); }

}  // namespace plumb
