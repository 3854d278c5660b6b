#pragma once

#include <array>
#include <cstdint>

#include "engine/parallel.h"
#include "engine/shape.h"
#include "engine/tensor.h"

namespace plumb {

/// Elements a chunk of an elementwise loop covers: large enough to hide the cost of a task.
inline constexpr int64_t kElementGrain = 32768;

/// Strides that make `x` look like `shape` (0 along broadcast dimensions). `x` must broadcast to `shape`.
Strides broadcast_strides(const Tensor& x, const Shape& shape);

/// An elementwise walk over N operands of one shape, with dimensions that lie behind each other in all of them merged.
/// The last dimension is the inner loop.
template <int N>
struct StridedLoop {
  Shape shape;  // at least rank 1
  std::array<Strides, N> strides;
};

namespace detail {
/// Drops size-1 dimensions, orders dimensions by the strides of operand 0 (largest outermost) and merges neighbours.
int64_t coalesce(int64_t* sizes, int64_t* const* strides, int64_t rank, int operands);
}  // namespace detail

/// Operand 0 decides the order of the walk (the output, so that it is written in sequence).
template <int N>
StridedLoop<N> make_loop(const Shape& shape, std::array<Strides, N> strides) {
  StridedLoop<N> loop{shape, strides};
  int64_t* pointers[N];
  for (int i = 0; i < N; ++i) pointers[i] = loop.strides[size_t(i)].begin();
  const int64_t rank = detail::coalesce(loop.shape.begin(), pointers, shape.rank(), N);
  auto trim = [rank](Dims& dims, int64_t fill) {
    while (dims.rank() > rank) dims.erase(dims.rank() - 1);
    if (dims.empty()) dims.push_back(fill);
  };
  trim(loop.shape, 1);
  for (Strides& operand : loop.strides) trim(operand, 0);
  return loop;
}

/// Calls row(offsets, count) for runs along the inner dimension; `offsets[i]` is where the run starts in operand i and
/// loop.strides[i].back() its step. Parallel over elements; every element is visited once.
template <int N, class F>
void run_loop(const StridedLoop<N>& loop, F&& row) {
  const int64_t inner = loop.shape.back();
  const int64_t outer_rank = loop.shape.rank() - 1;
  parallel_for(numel(loop.shape), kElementGrain, [&](int64_t begin, int64_t end) {
    Dims index = Dims::filled(outer_rank, 0);
    std::array<int64_t, N> offsets{};
    int64_t rest = begin / inner, position = begin % inner;
    for (int64_t d = outer_rank - 1; d >= 0; --d) {
      index[d] = rest % loop.shape[d];
      rest /= loop.shape[d];
      for (int i = 0; i < N; ++i) offsets[size_t(i)] += index[d] * loop.strides[size_t(i)][d];
    }
    for (int64_t done = begin; done < end;) {
      const int64_t count = inner - position < end - done ? inner - position : end - done;
      std::array<int64_t, N> starts = offsets;
      for (int i = 0; i < N; ++i) starts[size_t(i)] += position * loop.strides[size_t(i)].back();
      row(starts, count);
      done += count;
      position = 0;
      for (int64_t d = outer_rank - 1; d >= 0; --d) {
        for (int i = 0; i < N; ++i) offsets[size_t(i)] += loop.strides[size_t(i)][d];
        if (++index[d] < loop.shape[d]) break;
        for (int i = 0; i < N; ++i) offsets[size_t(i)] -= loop.shape[d] * loop.strides[size_t(i)][d];
        index[d] = 0;
      }
    }
  });
}

}  // namespace plumb
