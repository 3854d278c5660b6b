#pragma once

// Sums with a fixed order, hence the same bits in every run and no need for a deterministic variant: no atomics;
// threads take elements in a fixed pattern and join as a tree; long sums are cut by their length alone into chunks
// whose totals are summed by a second launch.

#include "engine/cuda/launch.cuh"
#include "engine/tensor.h"

namespace plumb {

/// The sum of `value` over the threads of a block, given to all of them. Every thread of the block must call it; blocks
/// are whole warps.
template <class A>
__device__ inline A block_sum(A value) {
  __shared__ A totals[32];
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  __syncthreads();  // nobody reads the totals of the call before any more
  if (threadIdx.x % kWarp == 0) totals[threadIdx.x / kWarp] = value;
  __syncthreads();
  A sum = totals[0];
  for (unsigned warp = 1; warp < blockDim.x / kWarp; ++warp) sum += totals[warp];
  return sum;
}

/// The largest `value` of a block. NaN may or may not be it.
template <class A>
__device__ inline A block_max(A value) {
  __shared__ A greatest[32];
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    const A other = __shfl_xor_sync(0xffffffffu, value, lanes);
    value = other > value ? other : value;
  }
  __syncthreads();
  if (threadIdx.x % kWarp == 0) greatest[threadIdx.x / kWarp] = value;
  __syncthreads();
  A most = greatest[0];
  for (unsigned warp = 1; warp < blockDim.x / kWarp; ++warp) most = greatest[warp] > most ? greatest[warp] : most;
  return most;
}

/// Threads of a block that works on `count` elements: whole warps, no more than are busy.
inline int threads_for(int64_t count) {
  return count >= kThreads ? kThreads : int(ceil_div(count < 1 ? 1 : count, kWarp)) * kWarp;
}

/// Two sums at once.
template <class A>
struct SumPair {
  A first, second;
  __device__ SumPair& operator+=(const SumPair& other) {
    first += other.first;
    second += other.second;
    return *this;
  }
};

inline constexpr int64_t kRowChunk = 16384;  // elements a block sums
inline constexpr int64_t kColumnChunk = 64;  // least rows a block sums of a column, and where one block sums all
inline constexpr int64_t kFewRows = 256;
inline constexpr int kMostColumnThreads = 512;

/// store(row, sum of term(row, i) over i < count); one block a row and chunk.
template <class A, class Term, class Store>
__global__ void row_sums_kernel(int64_t count, int64_t chunks, Term term, Store store) {
  const int64_t row = blockIdx.x / chunks, begin = blockIdx.x % chunks * kRowChunk;
  const int64_t end = begin + kRowChunk < count ? begin + kRowChunk : count;
  A sum = A(0);
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) sum += term(row, i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) store(blockIdx.x, sum);
}

template <class State>
struct KeepPartial {
  State* partial;
  __device__ void operator()(int64_t i, const State& sum) const { partial[i] = sum; }
};
template <class State>
struct PartialOfRow {
  const State* partial;
  int64_t chunks;
  __device__ State operator()(int64_t row, int64_t chunk) const { return partial[row * chunks + chunk]; }
};
template <class State>
struct PartialOfColumn {
  const State* partial;
  int64_t columns;
  __device__ State operator()(int64_t chunk, int64_t column) const { return partial[chunk * columns + column]; }
};

/// Room for `count` states on `device`.
template <class State>
Tensor scratch(int64_t count, Device device) {
  return empty({count * int64_t(sizeof(State))}, DType::u8, device);
}

/// store(row, sum over i < count of term(row, i)) for every row. Both are copied to the device.
template <class A, class Term, class Store>
void sum_rows(const char* op, const Cuda& cuda, Device device, int64_t rows, int64_t count, const Term& term,
              const Store& store) {  // wide: the shape and what is done there
  if (rows == 0) return;
  const int64_t chunks = count <= kRowChunk ? 1 : ceil_div(count, kRowChunk);
  if (chunks == 1)
    return launch(op, cuda, {.blocks = rows, .threads = threads_for(count)}, row_sums_kernel<A, Term, Store>, count, 1,
                  term, store);
  Tensor kept = scratch<A>(rows * chunks, device);
  A* partial = static_cast<A*>(kept.raw_mutable_data());
  launch(op, cuda, {.blocks = rows * chunks}, row_sums_kernel<A, Term, KeepPartial<A>>, count, chunks, term,
         KeepPartial<A>{partial});
  sum_rows<A>(op, cuda, device, rows, chunks, PartialOfRow<A>{partial, chunks}, store);
}

/// store(chunk * columns + column, sum of term(row, column) over the rows of a chunk). Every term is asked for once.
/// A block takes kWarp columns: each warp every so many-th row of the chunk, so that a warp reads neighbours; the
/// warps' sums are joined in order.
template <class State, class Term, class Store>
__global__ void __launch_bounds__(kMostColumnThreads)
    column_sums_kernel(int64_t rows, int64_t columns, int64_t chunk, Term term, Store store) {
  __shared__ State joined[kMostColumnThreads];
  const int64_t column = int64_t(blockIdx.x) * kWarp + threadIdx.x % kWarp, begin = blockIdx.y * chunk;
  const int64_t end = begin + chunk < rows ? begin + chunk : rows;
  const int lanes = int(blockDim.x) / kWarp, lane = int(threadIdx.x) / kWarp;
  State sum = {};
  if (column < columns)
    for (int64_t row = begin + lane; row < end; row += lanes) sum += term(row, column);
  joined[threadIdx.x] = sum;
  __syncthreads();
  if (lane > 0 || column >= columns) return;
  for (int other = 1; other < lanes; ++other) sum += joined[threadIdx.x + other * kWarp];
  store(blockIdx.y * columns + column, sum);
}

/// Rows of a chunk: by the shape alone. Few rows are one chunk, else there are blocks for every multiprocessor.
inline int64_t column_chunk(int64_t rows, int64_t column_blocks) {
  constexpr int64_t kBlocks = 132 * 16, kMostChunks = 32768;
  if (rows <= kFewRows) return rows;
  const int64_t wanted = ceil_div(rows * column_blocks, kBlocks), least = ceil_div(rows, kMostChunks);
  const int64_t chunk = wanted > least ? wanted : least;
  return ceil_div(chunk > kColumnChunk ? chunk : kColumnChunk, 16) * 16;
}

/// store(column, sum over row < rows of term(row, column)) for every column.
template <class State, class Term, class Store>
void sum_columns(const char* op, const Cuda& cuda, Device device, int64_t rows, int64_t columns, const Term& term,
                 const Store& store) {  // wide: the shape and what is done there
  if (columns == 0) return;
  const int64_t column_blocks = ceil_div(columns, kWarp), chunk = column_chunk(rows, column_blocks);
  const int64_t chunks = rows <= chunk ? 1 : ceil_div(rows, chunk);
  const Grid grid{column_blocks, rows < chunk || chunk < 256 ? 256 : kMostColumnThreads, chunks};
  if (chunks == 1)
    return launch(op, cuda, grid, column_sums_kernel<State, Term, Store>, rows, columns, chunk, term, store);
  Tensor kept = scratch<State>(chunks * columns, device);
  State* partial = static_cast<State*>(kept.raw_mutable_data());
  launch(op, cuda, grid, column_sums_kernel<State, Term, KeepPartial<State>>, rows, columns, chunk, term,
         KeepPartial<State>{partial});
  sum_columns<State>(op, cuda, device, chunks, columns, PartialOfColumn<State>{partial, columns}, store);
}

}  // namespace plumb
