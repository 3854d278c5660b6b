#pragma once

// Stands in for CUDA's own header when g++ compiles a .cu for the emulator: as much of the language and the runtime as
// the engine uses.

#include <cstdint>
#include <cstring>

#include "tests/support/cuda_emulator/cudart.h"
#include "tests/support/cuda_emulator/emulator.h"

#define __global__
#define __device__
#define __host__
#define __shared__ static  // blocks run one at a time, so one copy is enough
#define __launch_bounds__(...)

struct dim3 : plumb::emulator::Size3 {
  dim3(unsigned x_size = 1, unsigned y_size = 1, unsigned z_size = 1) : Size3{x_size, y_size, z_size} {}
};

// References: macros would also replace the members of the same names below.
inline const plumb::emulator::Size3 &threadIdx = plumb::emulator::thread_index,
                                    &blockIdx = plumb::emulator::block_index, &blockDim = plumb::emulator::block_size,
                                    &gridDim = plumb::emulator::grid_size;

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  cudaStream_t stream = nullptr;
};

inline void __syncthreads() { plumb::emulator::wait_for_block(); }

namespace plumb::emulator {
template <class T>
T shuffle(unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = exchange_in_warp(mask, bits, source);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
}  // namespace plumb::emulator

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return plumb::emulator::shuffle(mask, value, plumb::emulator::current_lane() ^ lanes);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes) {
  const int own = plumb::emulator::current_lane(), source = own + int(lanes);
  return plumb::emulator::shuffle(mask, value, source < 32 ? source : own);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  return plumb::emulator::shuffle(mask, value, lane);
}

/// One thread runs at a time, so a plain addition is atomic.
template <class T>
T atomicAdd(T* to, T value) {
  const T old = *to;
  *to = old + value;
  return old;
}

/// As in CUDA, refuses what no device can run.
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments... arguments) {
  const dim3 grid = config->gridDim, block = config->blockDim;
  const uint64_t threads = uint64_t(block.x) * block.y * block.z;
  const bool valid = grid.x > 0 && grid.y > 0 && grid.z > 0 && threads > 0 && threads <= 1024 &&
                     grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535;
  if (!valid) return cudaErrorInvalidConfiguration;
  return plumb::emulator::submit(config->stream,
                                 [=] { plumb::emulator::run_grid(grid, block, [&] { kernel(arguments...); }); });
}
