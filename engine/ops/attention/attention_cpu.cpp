// Attention on the CPU, forward. A task is a block of queries of one head; for a block of keys after the other:
//   s = k q^T            [keys, queries]: a key a row, so that the product's columns always fill the registers,
//   p = e^(s - largest)  whatever d is, and the softmax works on all queries of the block at once (attention_rows.h)
//   o = o correction + v^T p      [dv, queries]
// and at the end out = o^T / total, lse = largest + log(total).

#include <algorithm>
#include <limits>

#include "engine/isa/row_tables.h"
#include "engine/ops/attention/attention_kernels.h"
#include "engine/ops/attention/attention_matrices.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kQueries = 64;  // of a block
constexpr int64_t kKeys = 512;    // of a block: its scores are 128 KiB
constexpr int64_t kWidth = 16;    // the columns of a block are a multiple of it
// Multiply-adds that make a task worth its cost, about 25 us.
constexpr int64_t kTaskWork = int64_t(1) << 21;

template <class A>
class Forward {
 public:
  Forward(const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting, AttentionResult& result)
      : size_(q, k, v),
        q_(q),
        k_(k),
        v_(v),
        setting_(setting),
        out_(result.out.mutable_data<A>()),
        lse_(result.lse.mutable_data<A>()) {}

  void run() {
    const int64_t blocks = (size_.queries + kQueries - 1) / kQueries;
    const int64_t work = std::min(kQueries, size_.queries) * size_.keys * (size_.depth + size_.value_depth);
    parallel_for(size_.heads * blocks, std::max<int64_t>(1, kTaskWork / work), [&](int64_t begin, int64_t end) {
      const int64_t width = std::min(kQueries, (size_.queries + kWidth - 1) / kWidth * kWidth);
      const int64_t keys = std::min(kKeys, size_.keys);
      Tensor memory = empty({(keys + 2 * size_.value_depth + 3) * width}, dtype_of<A>);
      Scratch scratch;
      scratch.scores = memory.mutable_data<A>();
      scratch.sums = scratch.scores + keys * width;
      scratch.part = scratch.sums + size_.value_depth * width;
      scratch.state.largest = scratch.part + size_.value_depth * width;
      scratch.state.total = scratch.state.largest + width;
      scratch.state.correction = scratch.state.total + width;
      // Columns past the last query are computed and thrown away: they only must not hold anything slow.
      std::fill_n(scratch.scores, memory.numel(), A(0));
      for (int64_t task = begin; task < end; ++task) run_block(task / blocks, task % blocks * kQueries, scratch);
    });
  }

 private:
  struct Scratch {
    A *scores, *sums, *part;  // [keys, width], [dv, width], [dv, width]
    AttentionState<A> state;  // [width] each
  };
  struct Block {
    int64_t head, query, queries, width;
  };

  void run_block(int64_t head, int64_t query, Scratch& scratch) const {
    const int64_t queries = std::min(kQueries, size_.queries - query);
    const Block block{head, query, queries, (queries + kWidth - 1) / kWidth * kWidth};
    const int64_t seen = setting_.causal ? std::min(size_.keys, query + queries) : size_.keys;
    std::fill_n(scratch.state.largest, block.width, -std::numeric_limits<A>::infinity());
    std::fill_n(scratch.state.total, block.width, A(0));
    for (int64_t key = 0; key < seen; key += kKeys) add_keys(block, key, std::min(kKeys, seen - key), scratch);
    finish(block, scratch);
  }

  void add_keys(const Block& block, int64_t key, int64_t keys, Scratch& scratch) const {
    A* scores = scratch.scores;
    gemm<A>({keys, block.queries, size_.depth}, k_.rows(block.head, key), q_.rows(block.head, block.query, true),
            {.data = scores, .ld = block.width});
    const bool hides = setting_.causal && key + keys - 1 > block.query;
    if (hides) hide_later_keys(block, key, keys, scores);
    rows_of_.softmax(scores, keys, block.width, hides ? A(1) : A(setting_.scale), &scratch.state);
    A* part = key == 0 ? scratch.sums : scratch.part;
    gemm<A>({size_.value_depth, block.queries, keys}, v_.rows(block.head, key, true), {scores, block.width, false},
            {.data = part, .ld = block.width});
    if (key > 0) rows_of_.accumulate(scratch.sums, part, scratch.state.correction, size_.value_depth, block.width);
  }

  /// Scales the scores, then hides from each query the keys after it. The other way round a scale of 0 or less would
  /// bring them back.
  void hide_later_keys(const Block& block, int64_t key, int64_t keys, A* scores) const {
    for (int64_t row = 0; row < keys; ++row, scores += block.width) {
      for (int64_t c = 0; c < block.width; ++c) scores[c] *= A(setting_.scale);
      const int64_t hidden = std::clamp<int64_t>(key + row - block.query, 0, block.queries);
      std::fill_n(scores, hidden, -std::numeric_limits<A>::infinity());
    }
  }

  void finish(const Block& block, const Scratch& scratch) const {
    const int64_t first = block.head * size_.queries + block.query, depth = size_.value_depth;
    for (int64_t i = 0; i < block.queries; ++i) {
      const A total = scratch.state.total[i], factor = A(1) / total;
      lse_[first + i] = scratch.state.largest[i] + math::log(total);
      A* out = out_ + (first + i) * depth;
      for (int64_t c = 0; c < depth; ++c) out[c] = scratch.sums[c * block.width + i] * factor;
    }
  }

  const AttentionSizes size_;
  const HeadMatrices<A> q_, k_, v_;
  const AttentionSetting setting_;
  A *out_, *lse_;
  const AttentionRows<A>& rows_of_ = attention_rows<A>();
};

}  // namespace

void attention_kernel(Cpu, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                      AttentionResult& result) {
  visit_dtype(TypeList<float, double>{}, q.dtype(), "attention",
              [&]<class A>() { Forward<A>(q, k, v, setting, result).run(); });
}

}  // namespace plumb
