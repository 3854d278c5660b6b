#pragma once

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "engine/allocator.h"
#include "nn/unet/unet2d_options.h"

namespace plumb::bench {

/// The UNet of the speed goals: 32x32x3, 6,472,195 parameters, attention (heads of 64) at 8x8 and in the middle.
inline UNet2DOptions unet_options() {
  UNet2DOptions options;
  options.block_out_channels = {64, 128, 128};
  options.down_block_types = {"DownBlock2D", "DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D", "UpBlock2D"};
  options.layers_per_block = 2;
  options.attention_head_dim = 64;
  return options;
}

/// Adds to a benchmark's row, in MB: the most that tensors held since reset_peak_memory(), what the allocator has taken
/// from the system, and the most the process ever held (of a process that ran this benchmark alone it means something).
inline void count_memory(benchmark::State& state) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const AllocatorStatistics memory = allocator_statistics();
  state.counters["tensors_MB"] = double(memory.peak_allocated_bytes) * 1e-6;
  state.counters["reserved_MB"] = double(memory.reserved_bytes) * 1e-6;
  state.counters["process_MB"] = double(usage.ru_maxrss) * 1024e-6;
}

}  // namespace plumb::bench
