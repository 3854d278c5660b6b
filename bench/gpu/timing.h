#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb::bench {

inline constexpr Device kCuda{DeviceType::cuda, 0};

/// Time of the device for one call, by events around `calls` of them; the benchmark must UseManualTime. `set` numbers
/// the calls, so that a benchmark can go around several sets of inputs larger than the cache together.
void time_on_device(benchmark::State& state, int64_t calls, const std::function<void(int64_t set)>& call);

/// Counters of a benchmark: GB/s of the least possible traffic (every operand and result once), TFLOP/s.
void count_bytes(benchmark::State& state, double bytes);
void count_flops(benchmark::State& state, double flops);

/// Normal values on the device, a pure function of shape and seed.
Tensor values(const Shape& shape, DType dtype, uint64_t seed);
/// The same, [N, C, H, W], with the channels innermost.
Tensor pictures(const Shape& shape, DType dtype, uint64_t seed);

}  // namespace plumb::bench
