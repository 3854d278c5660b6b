#pragma once

// The only place that launches kernels: names the op to profilers (NVTX) and in errors. A function instead of <<<>>>
// also lets g++ compile the .cu files for the emulator in tests/support/cuda_emulator.

#include <nvtx3/nvToolsExt.h>

#include <cstdint>
#include <type_traits>

#include "engine/backend.h"
#include "engine/ceil_div.h"
#include "engine/cuda/check.cuh"

namespace plumb {

inline constexpr int kWarp = 32;
inline constexpr int kThreads = 256;  // of a block, where nothing else decides

/// Blocks in the grid and threads in a block. `rows` is the grid's second dimension, at most 65535.
struct Grid {
  int64_t blocks = 1;
  int threads = kThreads;
  int64_t rows = 1;
};

/// Blocks for `count` threads, capped: kernels walk on by the size of the grid (a grid-stride loop), and some blocks
/// for every multiprocessor are enough to hide latency.
inline Grid grid_for(int64_t count, int threads = kThreads) {
  constexpr int64_t kMostBlocks = 132 * 32;
  const int64_t blocks = ceil_div(count, threads);
  return {blocks < kMostBlocks ? blocks : kMostBlocks, threads};
}

/// Runs kernel(args...) on the context's stream. Throws CudaError naming `op` when the launch is refused.
///   launch("softmax", cuda, {.blocks = rows}, softmax_rows<float>, x, y, width);
template <class... Parameters>
void launch(const char* op, const Cuda& cuda, const Grid& grid, void (*kernel)(Parameters...),
            std::type_identity_t<Parameters>... args) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(unsigned(grid.blocks), unsigned(grid.rows));
  config.blockDim = dim3(unsigned(grid.threads));
  config.stream = static_cast<cudaStream_t>(cuda.stream);
  nvtxRangePushA(op);
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, args...);
  nvtxRangePop();
  check_cuda(op, status);
}

}  // namespace plumb
