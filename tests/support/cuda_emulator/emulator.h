#pragma once

// CUDA's execution model on the CPU: the threads of a block are fibers, blocks run one after the other. The .cu files
// of the engine are compiled by g++ against the cuda_runtime.h beside this file, so that the address and
// undefined-behaviour sanitizers see their every access. A fiber runs until it meets a barrier or a shuffle; running
// the threads in another order (set_thread_order) therefore shows a missing barrier as a wrong result.
//
// Stricter than the hardware: a thread must not leave a kernel while others of its block wait at a barrier, and a
// shuffle needs every lane its mask names. Both are errors (std::logic_error) here. Not modelled: streams at work at
// the same time (everything is in order and done when the call returns), caches, memory ordering, tensor cores, dynamic
// shared memory.

#include <cstdint>
#include <functional>

namespace plumb::emulator {

struct Size3 {
  unsigned x = 1, y = 1, z = 1;
};

enum class ThreadOrder { forward, backward };
/// In which order the threads of a block get their turn.
void set_thread_order(ThreadOrder order);

/// Runs `kernel` once for every thread of the grid. Throws std::logic_error for a block that can never end.
void run_grid(Size3 grid, Size3 block, const std::function<void()>& kernel);

// Called by the kernel, through the functions of cuda_runtime.h.
void wait_for_block();
/// The value that lane `source` of this warp brings to the same exchange. Waits for all lanes of `mask`.
uint64_t exchange_in_warp(unsigned mask, uint64_t value, int source);
/// Of the thread that runs, in its warp.
int current_lane();

// What kernels read as threadIdx, blockIdx, blockDim and gridDim.
extern Size3 thread_index, block_index, block_size, grid_size;

}  // namespace plumb::emulator
