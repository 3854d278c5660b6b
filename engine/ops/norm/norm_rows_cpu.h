#pragma once

// Internal: norms over dense rows on the CPU; what one row is, a LayerNormRows says. Forward: parallel over rows, each
// read for its statistics and once more to write y. Backward: parallel over chunks of rows; grad_weight = sum over rows
// of grad * n and grad_bias = sum over rows of grad are folded in the same pass: 16 rows in order, those as a pairwise
// tree, chunks of rows (cut by size) as another.

#include <algorithm>
#include <vector>

#include "engine/isa/row_tables.h"
#include "engine/loops.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {

inline constexpr int64_t kNormRowsPerBlock = 16;

/// A parameter as a dense array of A; null when undefined.
template <class T>
class NormParameter {
 public:
  explicit NormParameter(const Tensor& tensor) {
    if (!tensor.defined()) return;
    if constexpr (!std::is_same_v<T, Acc<T>>) converted_.resize(size_t(tensor.numel()));
    data_ = load_row<Acc<T>>(tensor.data<T>(), 1, tensor.numel(), converted_.data());
  }
  const Acc<T>* data() const { return data_; }

 private:
  std::vector<Acc<T>> converted_;
  const Acc<T>* data_ = nullptr;
};

/// Scratch for a row that has to be converted; nothing when rows are read in place.
template <class T>
std::vector<Acc<T>> norm_row_buffer(int64_t width) {
  return std::vector<Acc<T>>(std::is_same_v<T, Acc<T>> ? size_t(0) : size_t(width));
}

/// Calls compute(row) with the place for a row of A: `y` itself, or a buffer that is rounded into y afterwards.
template <class T, class F>
void with_row(T* y, int64_t width, std::vector<Acc<T>>& buffer, F&& compute) {
  if constexpr (std::is_same_v<T, Acc<T>>) {
    compute(y);
  } else {
    compute(buffer.data());
    for (int64_t i = 0; i < width; ++i) y[i] = store_as<T>(buffer[size_t(i)]);
  }
}

template <class A>
constexpr auto kNormAdd = [](A earlier, A later) { return earlier + later; };

/// Rows a tree over `items` needs, the one being written included.
inline int64_t norm_tree_levels(int64_t items) {
  int64_t levels = 2;
  for (; items > 1; items = (items + 1) / 2) ++levels;
  return levels;
}

template <class T>
class NormBackward {
 public:
  using A = Acc<T>;

  NormBackward(const LayerNormRows<A>& rows_of, const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
               const Tensor& weight, LayerNormGrads& grads)
      : rows_of_(rows_of),
        grad_(grad.data<T>()),
        x_(x.data<T>()),
        mean_(forward.mean.defined() ? forward.mean.data<A>() : nullptr),
        rstd_(forward.rstd.data<A>()),
        weight_(weight),
        grads_(grads),
        rows_(forward.rstd.numel()),
        width_(x.numel() / rows_),
        parameters_(grads.weight.defined() || grads.bias.defined()) {
    while (chunk_ < rows_ && chunk_ * width_ < kElementGrain) chunk_ *= 2;
  }

  void run() {
    const int64_t chunks = (rows_ + chunk_ - 1) / chunk_;
    std::vector<A> partial(parameters_ ? size_t(chunks * 2 * width_) : 0);
    parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c)
        run_chunk(c * chunk_, std::min(rows_, (c + 1) * chunk_), partial.data() + c * 2 * width_);
    });
    if (parameters_) join(partial, chunks);
  }

 private:
  void run_chunk(int64_t begin, int64_t end, A* partial) {
    std::vector<A> g_buffer = norm_row_buffer<T>(width_), x_buffer = norm_row_buffer<T>(width_),
                   out = norm_row_buffer<T>(width_);
    std::vector<A> slots(parameters_ ? size_t(norm_tree_levels(chunk_ / kNormRowsPerBlock) * 2 * width_) : 0);
    PairwiseRows<A, decltype(kNormAdd<A>)> tree(kNormAdd<A>, slots.data(), 2 * width_, 2 * width_);
    for (int64_t block = begin; block < end; block += kNormRowsPerBlock) {
      for (int64_t r = block; r < std::min(block + kNormRowsPerBlock, end); ++r) {
        const A* g = load_row<A>(grad_ + r * width_, 1, width_, g_buffer.data());
        const A* x = load_row<A>(x_ + r * width_, 1, width_, x_buffer.data());
        const RowStatistics<A> statistics = {mean_ ? mean_[r] : A(0), rstd_[r]};
        if (grads_.x.defined())
          with_row(grads_.x.template mutable_data<T>() + r * width_, width_, out,
                   [&](A* row) { rows_of_.grad(g, x, width_, weight_.data(), &statistics, row); });
        if (parameters_) rows_of_.fold(g, x, width_, &statistics, r == block, tree.next());
      }
      if (parameters_) tree.push();
    }
    if (parameters_) std::copy_n(tree.finish(), 2 * width_, partial);
  }

  void join(const std::vector<A>& partial, int64_t chunks) {
    std::vector<A> slots(size_t(norm_tree_levels(chunks) * 2 * width_));
    PairwiseRows<A, decltype(kNormAdd<A>)> tree(kNormAdd<A>, slots.data(), 2 * width_, 2 * width_);
    for (int64_t c = 0; c < chunks; ++c) {
      std::copy_n(partial.data() + c * 2 * width_, 2 * width_, tree.next());
      tree.push();
    }
    const A* sums = tree.finish();
    write(grads_.weight, sums);
    write(grads_.bias, sums + width_);
  }

  void write(Tensor& out, const A* sums) {
    if (!out.defined()) return;
    T* data = out.template mutable_data<T>();
    for (int64_t i = 0; i < width_; ++i) data[i] = store_as<T>(sums[i]);
  }

  const LayerNormRows<A>& rows_of_;
  const T *grad_, *x_;
  const A *mean_, *rstd_;
  NormParameter<T> weight_;
  LayerNormGrads& grads_;
  int64_t rows_, width_;
  bool parameters_;
  int64_t chunk_ = kNormRowsPerBlock;  // rows a task takes: a power of two of blocks, about kElementGrain elements
};

/// Fills out.y, out.rstd, and out.mean where there is one.
template <class T>
void norm_rows(const LayerNormRows<Acc<T>>& rows_of, const Tensor& x, const Tensor& weight, const Tensor& bias,
               double eps, LayerNormResult& out) {
  using A = Acc<T>;
  const NormParameter<T> scale(weight), shift(bias);
  const LayerNormParameters<A> parameters = {scale.data(), shift.data(), A(eps)};
  const int64_t rows = out.rstd.numel(), width = x.numel() / rows;
  const T* input = x.data<T>();
  T* y = out.y.mutable_data<T>();
  A *means = out.mean.defined() ? out.mean.mutable_data<A>() : nullptr, *rstds = out.rstd.mutable_data<A>();
  parallel_for(rows, std::max<int64_t>(1, kElementGrain / width), [&](int64_t begin, int64_t end) {
    std::vector<A> in_buffer = norm_row_buffer<T>(width), out_buffer = norm_row_buffer<T>(width);
    for (int64_t r = begin; r < end; ++r) {
      const A* row = load_row<A>(input + r * width, 1, width, in_buffer.data());
      RowStatistics<A> statistics;
      with_row(y + r * width, width, out_buffer,
               [&](A* target) { rows_of.forward(row, width, &parameters, target, &statistics); });
      if (means) means[r] = statistics.mean;
      rstds[r] = statistics.rstd;
    }
  });
}

}  // namespace plumb
