#pragma once

#include "engine/backend.h"
#include "engine/random/fills.h"
#include "engine/tensor.h"

namespace plumb {

/// `out` is dense; f32 or f64 for the floating draws, i64 for the integers.
void randn_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out);
void rand_kernel(Cpu, const RandomKey& key, Rows rows, Tensor& out);
void randint_kernel(Cpu, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out);

// Not on CUDA yet.
void randn_kernel(Cuda cuda, const auto&...) { cpu_only("random", cuda); }
void rand_kernel(Cuda cuda, const auto&...) { cpu_only("random", cuda); }
void randint_kernel(Cuda cuda, const auto&...) { cpu_only("random", cuda); }

}  // namespace plumb
