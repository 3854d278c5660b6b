#pragma once

#include "engine/backend.h"
#include "engine/random/fills.h"
#include "engine/tensor.h"

namespace plumb {

/// `out` is dense; f32 or f64 for the floating draws, i64 for the integers.
void randn_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out);
void rand_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out);
void randint_kernel(Cpu, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out);

// The same on CUDA.
void randn_kernel(Cuda cuda, const RandomKey& key, Rows rows, Tensor& out);
void rand_kernel(Cuda cuda, const RandomKey& key, Rows rows, Tensor& out);
void randint_kernel(Cuda cuda, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out);

/// What every draw asks of its arguments; `per_block`: elements a Philox block gives. Throw ValueError.
void check_draw(const char* op, const RandomKey& key, Rows rows, int64_t per_block);
void check_range(int64_t low, int64_t high);

}  // namespace plumb
