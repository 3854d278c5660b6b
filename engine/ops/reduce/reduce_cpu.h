#pragma once

// Internal: the CPU driver of every reduction. Two walks, chosen by which side lies closer together in memory:
//   rows     the elements of one output are adjacent: blocks of kReduceBlock elements, each reduced by the op's
//   block(),
//            joined as a pairwise tree;
//   columns  neighbouring outputs are adjacent: tiles of outputs, kRowsPerBlock rows folded one after the other by the
//            op's columns(), those joined as a pairwise tree.
// Elements are loaded as Acc<T>; whatever is strided or needs converting goes through a small buffer, so the ops see
// dense arrays only. Long outputs are cut into chunks by their length alone: the bits do not depend on the threads.
//
// An op is a struct with `Value` (Acc<T>), `State`, and
//   State identity()                                       of an empty input
//   State block(const Value* x, int64_t n, int64_t first)  n >= 1 elements, the first of which has index `first`
//   void columns(State* states, const Value* rows, int64_t stride, int64_t count, int64_t n, int64_t first)
//                                                          folds `count` >= 1 rows of n elements, the first of which
//                                                          has index `first`, into n states that hold nothing yet
//   State combine(State earlier, State later)
//   auto finish(State)

#include <algorithm>
#include <vector>

#include "engine/isa/row_tables.h"
#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/reduce/pairwise.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/parallel.h"
#include "engine/tensor.h"

namespace plumb {

inline constexpr int64_t kRowsPerBlock = 16;

/// Where the element with row-major number `index` lies.
inline int64_t strided_offset(int64_t index, const Shape& sizes, const Strides& strides) {
  if (sizes.rank() == 1) return index * strides[0];
  int64_t offset = 0;
  for (int64_t d = sizes.rank() - 1; d >= 0; --d) {
    offset += index % sizes[d] * strides[d];
    index /= sizes[d];
  }
  return offset;
}

template <class T, class Out, class Op>
class CpuReduction {
 public:
  using Value = typename Op::Value;
  using State = typename Op::State;

  CpuReduction(const Op& op, const Tensor& x, const ReductionLayout& layout, Tensor& out)
      : op_(op), layout_(layout), x_(x.data<T>()), out_(out.mutable_data<Out>()) {}

  void run() {
    const int64_t outputs = layout_.outputs;
    if (outputs == 0) return;
    if (layout_.count == 0)
      for (int64_t i = 0; i < outputs; ++i) store(i, op_.identity());
    else if (columns_are_closer())
      run_columns();
    else if (layout_.count > kElementGrain)
      run_long_rows();
    else
      run_rows();
  }

 private:
  /// 2 KiB of states a tile: a long enough run for the prefetcher, and all levels of the tree fit in the L2 cache.
  static constexpr int64_t kTile = 2048 / int64_t(sizeof(State));

  auto combine() const {
    return [op = op_](const State& earlier, const State& later) { return op.combine(earlier, later); };
  }

  void store(int64_t output, const State& state) { out_[output] = store_as<Out>(op_.finish(state)); }

  bool columns_are_closer() const {
    // Fewer than eight neighbours are not worth a tile.
    return layout_.kept.back() >= 8 && std::abs(layout_.kept_strides.back()) < std::abs(layout_.reduced_strides.back());
  }

  void run_rows() {
    const int64_t grain = std::max<int64_t>(1, kElementGrain / layout_.count);
    parallel_for(layout_.outputs, grain, [this](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        store(i, reduce_elements(strided_offset(i, layout_.kept, layout_.kept_strides), 0, layout_.count));
    });
  }

  void run_long_rows() {
    const int64_t chunks = (layout_.count + kElementGrain - 1) / kElementGrain;
    std::vector<State> partial(static_cast<size_t>(layout_.outputs * chunks));
    parallel_for(layout_.outputs * chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % chunks * kElementGrain;
        partial[static_cast<size_t>(i)] =
            reduce_elements(strided_offset(i / chunks, layout_.kept, layout_.kept_strides), first,
                            std::min(first + kElementGrain, layout_.count));
      }
    });
    for (int64_t i = 0; i < layout_.outputs; ++i) {
      Pairwise<State, decltype(combine())> tree(combine());
      for (int64_t chunk = 0; chunk < chunks; ++chunk) tree.push(partial[static_cast<size_t>(i * chunks + chunk)]);
      store(i, tree.finish());
    }
  }

  /// Elements [begin, end) of the output that starts at `start`.
  State reduce_elements(int64_t start, int64_t begin, int64_t end) const {
    Value buffer[kReduceBlock];
    if (end - begin <= kReduceBlock) return op_.block(fetch(start, begin, end - begin, buffer), end - begin, begin);
    Pairwise<State, decltype(combine())> tree(combine());
    for (int64_t first = begin; first < end; first += kReduceBlock) {
      const int64_t n = std::min(kReduceBlock, end - first);
      tree.push(op_.block(fetch(start, first, n, buffer), n, first));
    }
    return tree.finish();
  }

  /// Elements [first, first + n) of the output that starts at `start`, dense.
  const Value* fetch(int64_t start, int64_t first, int64_t n, Value* buffer) const {
    const int64_t inner = layout_.reduced.back(), step = layout_.reduced_strides.back();
    if (layout_.reduced.rank() == 1) return load_row<Value>(x_ + start + first * step, step, n, buffer);
    if (first % inner + n <= inner)
      return load_row<Value>(x_ + start + strided_offset(first, layout_.reduced, layout_.reduced_strides), step, n,
                             buffer);
    gather(start, first, n, buffer);
    return buffer;
  }

  /// As fetch, across stretches that do not follow each other in memory.
  [[gnu::noinline]] void gather(int64_t start, int64_t first, int64_t n, Value* buffer) const {
    const int64_t inner = layout_.reduced.back(), step = layout_.reduced_strides.back();
    for (int64_t done = 0; done < n;) {
      const T* run = x_ + start + strided_offset(first + done, layout_.reduced, layout_.reduced_strides);
      const int64_t count = std::min(inner - (first + done) % inner, n - done);
      copy_row(run, step, count, buffer + done);
      done += count;
    }
  }

  void run_columns() {
    const int64_t inner = layout_.kept.back();
    const int64_t tiles = (inner + kTile - 1) / kTile;
    const int64_t all_tiles = layout_.outputs / inner * tiles;
    int64_t rows = kRowsPerBlock;  // a chunk: a power of two of row blocks with about kElementGrain elements
    while (rows < layout_.count && rows * std::min(inner, kTile) < kElementGrain) rows *= 2;
    const int64_t chunks = (layout_.count + rows - 1) / rows;
    if (chunks == 1) {
      const int64_t grain = std::max<int64_t>(1, kElementGrain / (layout_.count * std::min(inner, kTile)));
      parallel_for(all_tiles, grain, [&](int64_t begin, int64_t end) {
        State slots[kPairwiseLevels * kTile];
        for (int64_t i = begin; i < end; ++i) store_tile(i, reduce_tile(i, 0, layout_.count, slots));
      });
      return;
    }
    std::vector<State> partial(static_cast<size_t>(all_tiles * chunks * kTile));
    parallel_for(all_tiles * chunks, 1, [&](int64_t begin, int64_t end) {
      State slots[kPairwiseLevels * kTile];
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % chunks * rows;
        const State* states = reduce_tile(i / chunks, first, std::min(first + rows, layout_.count), slots);
        std::copy(states, states + tile_at(i / chunks).width, partial.data() + i * kTile);
      }
    });
    parallel_for(all_tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) join_chunks(i, partial.data() + i * chunks * kTile, chunks);
    });
  }

  struct Tile {
    int64_t output;  // number of its first output
    int64_t width;
  };
  Tile tile_at(int64_t index) const {
    const int64_t inner = layout_.kept.back(), tiles = (inner + kTile - 1) / kTile;
    const int64_t column = index % tiles * kTile;
    return {index / tiles * inner + column, std::min(kTile, inner - column)};
  }

  /// Rows [begin, end) of a tile.
  const State* reduce_tile(int64_t index, int64_t begin, int64_t end, State* slots) const {
    const Tile tile = tile_at(index);
    const T* x = x_ + strided_offset(tile.output, layout_.kept, layout_.kept_strides);
    const int64_t step = layout_.kept_strides.back();
    Value buffer[kRowsPerBlock * kTile];
    PairwiseRows<State, decltype(combine())> tree(combine(), slots, kTile, tile.width);
    for (int64_t row = begin; row < end; row += kRowsPerBlock) {
      const int64_t count = std::min(kRowsPerBlock, end - row);
      if constexpr (std::is_same_v<T, Value>) {
        const T* first = x + strided_offset(row, layout_.reduced, layout_.reduced_strides);
        const bool evenly_spaced = row % layout_.reduced.back() + count <= layout_.reduced.back();
        if (step == 1 && evenly_spaced) {
          op_.columns(tree.next(), first, layout_.reduced_strides.back(), count, tile.width, row);
          tree.push();
          continue;
        }
      }
      for (int64_t k = 0; k < count; ++k)
        copy_row(x + strided_offset(row + k, layout_.reduced, layout_.reduced_strides), step, tile.width,
                 buffer + k * kTile);
      op_.columns(tree.next(), buffer, kTile, count, tile.width, row);
      tree.push();
    }
    return tree.finish();
  }

  void join_chunks(int64_t index, const State* partial, int64_t chunks) {
    State slots[kPairwiseLevels * kTile];
    const int64_t width = tile_at(index).width;
    PairwiseRows<State, decltype(combine())> tree(combine(), slots, kTile, width);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      std::copy(partial + chunk * kTile, partial + chunk * kTile + width, tree.next());
      tree.push();
    }
    store_tile(index, tree.finish());
  }

  void store_tile(int64_t index, const State* states) {
    const Tile tile = tile_at(index);
    for (int64_t i = 0; i < tile.width; ++i) store(tile.output + i, states[i]);
  }

  Op op_;
  const ReductionLayout& layout_;
  const T* x_;
  Out* out_;
};

/// Reduces `x` (elements T) with an op on Acc<T> into `out` (elements Out, contiguous).
template <class T, class Out, class Op>
void reduce_on_cpu(const Op& op, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  CpuReduction<T, Out, Op>(op, x, layout, out).run();
}

}  // namespace plumb
