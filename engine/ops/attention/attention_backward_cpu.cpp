// Attention on the CPU, backward: parallel over heads. For each block of keys, for a block of queries after the other:
//   s = q k^T, p = e^(s - lse)           [queries, keys]
//   dp = grad v^T, ds = p (dp - delta)   delta = rowsum(grad out), which is rowsum(p dp)
//   dv^T += grad^T p,  dk^T += q^T ds    [dv or d, keys]
//   dq += ds k                           [queries, d]
// Every sum is made in the order of the blocks.

#include <algorithm>

#include "engine/isa/row_tables.h"
#include "engine/ops/attention/attention_kernels.h"
#include "engine/ops/attention/attention_matrices.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

// Of a block: two arrays of them are 256 KiB in float.
constexpr int64_t kQueries = 256;
constexpr int64_t kKeys = 128;

template <class A>
class Backward {
 public:
  Backward(const AttentionOperands& from, AttentionSetting setting, AttentionGrads& grads)
      : size_(from.q, from.k, from.v),
        grad_(from.grad),
        q_(from.q),
        k_(from.k),
        v_(from.v),
        out_(from.out),
        lse_(from.lse.data<A>()),
        setting_(setting),
        grad_q_(data_of(grads.q)),
        grad_k_(data_of(grads.k)),
        grad_v_(data_of(grads.v)) {}

  void run() {
    parallel_for(size_.heads, 1, [&](int64_t begin, int64_t end) {
      const int64_t queries = std::min(kQueries, size_.queries), keys = std::min(kKeys, size_.keys);
      const int64_t depth = size_.depth, value_depth = size_.value_depth;
      const int64_t part = std::max({queries * depth, keys * depth, keys * value_depth});
      Tensor memory = empty({2 * queries * keys + (depth + value_depth) * keys + part + size_.queries}, dtype_of<A>);
      Scratch scratch;
      scratch.p = memory.mutable_data<A>();
      scratch.ds = scratch.p + queries * keys;
      scratch.dk = scratch.ds + queries * keys;
      scratch.dv = scratch.dk + depth * keys;
      scratch.part = scratch.dv + value_depth * keys;
      scratch.delta = scratch.part + part;
      for (int64_t head = begin; head < end; ++head) run_head(head, scratch);
    });
  }

 private:
  struct Scratch {
    A *p, *ds;   // [queries, keys]
    A *dk, *dv;  // [d, keys], [dv, keys]
    A* part;     // what one block adds to a gradient
    A* delta;    // [Tq]
  };
  struct Block {
    int64_t head, key, keys, query, queries;
  };

  static A* data_of(Tensor& x) { return x.defined() ? x.mutable_data<A>() : nullptr; }

  void run_head(int64_t head, const Scratch& scratch) const {
    const A *grad = grad_(head), *out = out_(head);
    for (int64_t i = 0; i < size_.queries; ++i)
      scratch.delta[i] = rows_of_.dot(grad + i * grad_.ld(), out + i * out_.ld(), size_.value_depth);
    for (int64_t key = 0; key < size_.keys; key += kKeys) {
      const int64_t keys = std::min(kKeys, size_.keys - key);
      std::fill_n(scratch.dk, size_.depth * keys, A(0));
      std::fill_n(scratch.dv, size_.value_depth * keys, A(0));
      // No query before the first key sees any of the block.
      for (int64_t query = setting_.causal ? key : 0; query < size_.queries; query += kQueries)
        add_block({head, key, keys, query, std::min(kQueries, size_.queries - query)}, scratch);
      const int64_t row = head * size_.keys + key;
      if (grad_k_) store_transposed(scratch.dk, size_.depth, keys, grad_k_ + row * size_.depth);
      if (grad_v_) store_transposed(scratch.dv, size_.value_depth, keys, grad_v_ + row * size_.value_depth);
    }
  }

  void add_block(const Block& b, const Scratch& scratch) const {
    const int64_t depth = size_.depth, value_depth = size_.value_depth;
    const GemmTarget<A> p{.data = scratch.p, .ld = b.keys}, ds{.data = scratch.ds, .ld = b.keys};
    gemm<A>({b.queries, b.keys, depth}, q_.rows(b.head, b.query), k_.rows(b.head, b.key, true), p);
    gemm<A>({b.queries, b.keys, value_depth}, grad_.rows(b.head, b.query), v_.rows(b.head, b.key, true), ds);
    turn_into_gradients(b, scratch);
    const MatrixView<A> probabilities{scratch.p, b.keys}, score_grads{scratch.ds, b.keys};
    if (grad_v_) {
      gemm<A>({value_depth, b.keys, b.queries}, grad_.rows(b.head, b.query, true), probabilities,
              {.data = scratch.part, .ld = b.keys});
      add(scratch.part, value_depth * b.keys, scratch.dv);
    }
    if (grad_k_) {
      gemm<A>({depth, b.keys, b.queries}, q_.rows(b.head, b.query, true), score_grads,
              {.data = scratch.part, .ld = b.keys});
      add(scratch.part, depth * b.keys, scratch.dk);
    }
    if (grad_q_) {
      gemm<A>({b.queries, depth, b.keys}, score_grads, k_.rows(b.head, b.key), {.data = scratch.part, .ld = depth});
      add(scratch.part, b.queries * depth, grad_q_ + (b.head * size_.queries + b.query) * depth);
    }
  }

  /// scores and gradients of p become p and gradients of the products q k^T.
  void turn_into_gradients(const Block& b, const Scratch& scratch) const {
    for (int64_t i = 0; i < b.queries; ++i) {
      const int64_t query = b.query + i;
      A *p = scratch.p + i * b.keys, *ds = scratch.ds + i * b.keys;
      const AttentionGradRow<A> row{A(setting_.scale), lse_[b.head * size_.queries + query], scratch.delta[query]};
      rows_of_.grad_row(p, ds, b.keys, &row);
      if (!setting_.causal) continue;
      const int64_t seen = std::clamp<int64_t>(query + 1 - b.key, 0, b.keys);
      std::fill(p + seen, p + b.keys, A(0));
      std::fill(ds + seen, ds + b.keys, A(0));
    }
  }

  static void add(const A* part, int64_t count, A* sums) {
    for (int64_t i = 0; i < count; ++i) sums[i] += part[i];
  }

  /// from: [columns, rows] -> to: [rows, columns].
  static void store_transposed(const A* from, int64_t columns, int64_t rows, A* to) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t c = 0; c < columns; ++c) to[i * columns + c] = from[c * rows + i];
  }

  const AttentionSizes size_;
  const HeadMatrices<A> grad_, q_, k_, v_, out_;
  const A* lse_;
  const AttentionSetting setting_;
  A *grad_q_, *grad_k_, *grad_v_;
  const AttentionRows<A>& rows_of_ = attention_rows<A>();
};

}  // namespace

void attention_backward_kernel(Cpu, const AttentionOperands& from, AttentionSetting setting, AttentionGrads& grads) {
  visit_dtype(TypeList<float, double>{}, from.q.dtype(), "attention_backward",
              [&]<class A>() { Backward<A>(from, setting, grads).run(); });
}

}  // namespace plumb
