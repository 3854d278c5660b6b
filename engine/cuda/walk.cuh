#pragma once

// Elementwise walks on the device: what run_loop (engine/loops.h) is on the CPU. A thread takes element number i of the
// loop, finds where it lies in every operand, and walks on by the size of the grid. Merged dimensions make most walks
// flat, and then there is no division.

#include "engine/cuda/launch.cuh"
#include "engine/loops.h"

namespace plumb {

/// A StridedLoop as an argument of a kernel.
template <int N>
struct Walk {
  int rank = 0;
  bool narrow = false;  // element numbers fit 32 bits, whose division is several times faster
  int64_t sizes[kMaxRank];
  int64_t strides[N][kMaxRank];
};

template <int N>
Walk<N> walk_of(const StridedLoop<N>& loop) {
  Walk<N> walk;
  walk.rank = int(loop.shape.rank());
  walk.narrow = numel(loop.shape) < (int64_t(1) << 31);
  for (int d = 0; d < walk.rank; ++d) {
    walk.sizes[d] = loop.shape[d];
    for (int k = 0; k < N; ++k) walk.strides[k][d] = loop.strides[size_t(k)][d];
  }
  return walk;
}

/// Where one element lies in each of N operands.
template <int N>
struct Places {
  int64_t at[N] = {};
};

template <int N, class Index>
__device__ inline Places<N> places_by(const Walk<N>& walk, Index rest) {
  Places<N> places;
  for (int d = walk.rank - 1; d > 0; --d) {
    const Index size = Index(walk.sizes[d]), quotient = rest / size;
    const int64_t position = int64_t(rest - quotient * size);
    for (int k = 0; k < N; ++k) places.at[k] += position * walk.strides[k][d];
    rest = quotient;
  }
  for (int k = 0; k < N; ++k) places.at[k] += int64_t(rest) * walk.strides[k][0];
  return places;
}

template <int N>
__device__ inline Places<N> places_of(const Walk<N>& walk, int64_t element) {
  if (walk.narrow) return places_by<N, uint32_t>(walk, uint32_t(element));
  return places_by<N, uint64_t>(walk, uint64_t(element));
}

template <int N, class F>
__global__ void walk_kernel(Walk<N> walk, int64_t count, F body) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) body(places_of(walk, i));
}

/// body(places) for every element of the loop; body is copied to the device.
template <int N, class F>
void walk_on_device(const char* op, const Cuda& cuda, const StridedLoop<N>& loop, const F& body) {
  const int64_t count = numel(loop.shape);
  launch(op, cuda, grid_for(count), walk_kernel<N, F>, walk_of(loop), count, body);
}

}  // namespace plumb
