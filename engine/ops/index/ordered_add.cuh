#pragma once

// Additions of rows where an index points, in the order of the index, so that the bits are the CPU's and the same in
// every run. No sort and no atomics: of the entries that share a target, the first one's block makes the whole sum. The
// index is taken kOrderedChunk entries a launch, one block an entry: the block finds all entries equal to its own
// (16 KB from the L2 cache), leaves unless its own is the first of them, and adds their rows, one thread a column.
// A text encoder's 64 x 77 tokens are 3 launches, a batch of classes is one. The work is linear in the entries.

#include "engine/cuda/element.cuh"
#include "engine/cuda/walk.cuh"

namespace plumb {

inline constexpr int kOrderedChunk = 2048, kOrderedThreads = 128;
inline constexpr int kOrderedRun = kOrderedChunk / kOrderedThreads;

/// `lists` lists of `count` entries: entry j adds source row j to target row index[j]. Steps and places in elements.
struct OrderedAdd {
  const int64_t* index;
  const void* source;
  void* target;
  DType dtype;      // of both: f32, f64 or an integer
  Walk<3> lists;    // where a list starts in target, index, source
  Walk<2> columns;  // where a column lies in a row of target, source
  int64_t list_count, count, width;
  int64_t target_step, index_step, source_step;  // from a row, or entry, to the next
};

/// Numbers of the entries in [first, first + kOrderedChunk) equal to entry `own` of it, in `found`; returns how many.
__device__ inline int find_equal(const int64_t* index, int64_t step, int count, int own, int (&found)[kOrderedChunk]) {
  __shared__ int counts[kOrderedThreads];
  const int64_t wanted = index[own * step];
  const int thread = int(threadIdx.x), begin = thread * kOrderedRun;
  const int end = begin + kOrderedRun < count ? begin + kOrderedRun : count;
  int matches = 0;
  for (int i = begin; i < end; ++i) matches += index[i * step] == wanted;
  counts[thread] = matches;
  __syncthreads();
  for (int reach = 1; reach < kOrderedThreads; reach *= 2) {  // running sums
    const int before = thread >= reach ? counts[thread - reach] : 0;
    __syncthreads();
    counts[thread] += before;
    __syncthreads();
  }
  int at = counts[thread] - matches;
  for (int i = begin; i < end; ++i)
    if (index[i * step] == wanted) found[at++] = i;
  __syncthreads();
  return counts[kOrderedThreads - 1];
}

template <class A>
__global__ void ordered_add_kernel(OrderedAdd add, int64_t first) {
  __shared__ int found[kOrderedChunk];
  const Places<3> start = places_of(add.lists, blockIdx.y);
  const int64_t* index = add.index + start.at[1] + first * add.index_step;
  const int64_t rest = add.count - first;
  const int own = int(blockIdx.x);
  const int matches = find_equal(index, add.index_step, int(rest < kOrderedChunk ? rest : kOrderedChunk), own, found);
  if (found[0] != own) return;
  const int64_t target_row = start.at[0] + index[own * add.index_step] * add.target_step;
  const int64_t source_row = start.at[2] + first * add.source_step;
  for (int64_t column = threadIdx.x; column < add.width; column += blockDim.x) {
    const Places<2> at = places_of(add.columns, column);
    A sum = load_element<A>(add.target, add.dtype, target_row + at.at[0]);
    for (int i = 0; i < matches; ++i)
      sum += load_element<A>(add.source, add.dtype, source_row + found[i] * add.source_step + at.at[1]);
    store_element(add.target, add.dtype, target_row + at.at[0], sum);
  }
}

/// list_count <= 65535.
inline void add_in_order(const char* op, const Cuda& cuda, const OrderedAdd& add) {
  for (int64_t first = 0; first < add.count; first += kOrderedChunk) {
    const int64_t rest = add.count - first;
    const Grid grid{rest < kOrderedChunk ? rest : kOrderedChunk, kOrderedThreads, add.list_count};
    visit_element_type(add.dtype, [&]<class A>() { launch(op, cuda, grid, ordered_add_kernel<A>, add, first); });
  }
}

}  // namespace plumb
