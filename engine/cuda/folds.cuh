#pragma once

// Reductions by any associative rule: what sums.cuh is for sums, with the same cut into chunks. A Fold has
//   State, identity(), combine(State, State)
// and its result may not depend on the order, or not by more than rounding: threads take elements in a fixed pattern
// and join as a tree, so the bits are the same in every run.

#include "engine/cuda/sums.cuh"

namespace plumb {

/// The fold of every thread's state, given to all of them. Every thread of the block must call it.
template <class Fold>
__device__ inline typename Fold::State block_fold(const Fold& fold, typename Fold::State state) {
  __shared__ typename Fold::State states[kThreads];
  __syncthreads();  // nobody reads the states of the call before any more
  states[threadIdx.x] = state;
  __syncthreads();
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half && threadIdx.x + half < blockDim.x)
      states[threadIdx.x] = fold.combine(states[threadIdx.x], states[threadIdx.x + half]);
    __syncthreads();
  }
  return states[0];
}

/// store(row, fold of term(row, i) over a chunk's i); one block a row and chunk.
template <class Fold, class Term, class Store>
__global__ void row_folds_kernel(Fold fold, int64_t count, int64_t chunks, Term term, Store store) {
  const int64_t row = blockIdx.x / chunks, begin = blockIdx.x % chunks * kRowChunk;
  const int64_t end = begin + kRowChunk < count ? begin + kRowChunk : count;
  typename Fold::State state = fold.identity();
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) state = fold.combine(state, term(row, i));
  state = block_fold(fold, state);
  if (threadIdx.x == 0) store(blockIdx.x, state);
}

/// store(row, fold over i < count of term(row, i)) for every row.
template <class Fold, class Term, class Store>
void fold_rows(const char* op, const Cuda& cuda, Device device, int64_t rows, int64_t count, const Fold& fold,
               const Term& term, const Store& store) {  // wide: the shape and what is done there
  using State = typename Fold::State;
  if (rows == 0) return;
  const int64_t chunks = count <= kRowChunk ? 1 : ceil_div(count, kRowChunk);
  if (chunks == 1)
    return launch(op, cuda, {.blocks = rows, .threads = threads_for(count)}, row_folds_kernel<Fold, Term, Store>, fold,
                  count, 1, term, store);
  Tensor kept = scratch<State>(rows * chunks, device);
  State* partial = static_cast<State*>(kept.raw_mutable_data());
  launch(op, cuda, {.blocks = rows * chunks}, row_folds_kernel<Fold, Term, KeepPartial<State>>, fold, count, chunks,
         term, KeepPartial<State>{partial});
  fold_rows(op, cuda, device, rows, chunks, fold, PartialOfRow<State>{partial, chunks}, store);
}

/// store(chunk * columns + column, fold of term(column, row) over the rows of a chunk); one thread a column and chunk.
template <class Fold, class Term, class Store>
__global__ void column_folds_kernel(Fold fold, int64_t rows, int64_t columns, int64_t chunk, Term term, Store store) {
  const int64_t column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, begin = blockIdx.y * chunk;
  if (column >= columns) return;
  const int64_t end = begin + chunk < rows ? begin + chunk : rows;
  typename Fold::State state = fold.identity();
  for (int64_t row = begin; row < end; ++row) state = fold.combine(state, term(column, row));
  store(blockIdx.y * columns + column, state);
}

/// Partial state `chunk` of a column.
template <class State>
struct PartialByColumn {
  const State* partial;
  int64_t columns;
  __device__ State operator()(int64_t column, int64_t chunk) const { return partial[chunk * columns + column]; }
};

/// store(column, fold over row < rows of term(column, row)) for every column.
template <class Fold, class Term, class Store>
void fold_columns(const char* op, const Cuda& cuda, Device device, int64_t rows, int64_t columns, const Fold& fold,
                  const Term& term, const Store& store) {  // wide: the shape and what is done there
  using State = typename Fold::State;
  if (columns == 0) return;
  constexpr int64_t kMostChunks = 32768;
  const int64_t least = ceil_div(rows, kMostChunks), chunk = least > kColumnChunk ? least : kColumnChunk;
  const int64_t chunks = rows <= chunk ? 1 : ceil_div(rows, chunk);
  const Grid grid{.blocks = ceil_div(columns, 128), .threads = 128, .rows = chunks};
  if (chunks == 1)
    return launch(op, cuda, grid, column_folds_kernel<Fold, Term, Store>, fold, rows, columns, chunk, term, store);
  Tensor kept = scratch<State>(chunks * columns, device);
  State* partial = static_cast<State*>(kept.raw_mutable_data());
  launch(op, cuda, grid, column_folds_kernel<Fold, Term, KeepPartial<State>>, fold, rows, columns, chunk, term,
         KeepPartial<State>{partial});
  fold_columns(op, cuda, device, chunks, columns, fold, PartialByColumn<State>{partial, columns}, store);
}

}  // namespace plumb
