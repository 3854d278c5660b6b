// Squared errors on the CPU, one pass each way. A row is summed as a pairwise tree in Acc<T>; rows longer than
// kElementGrain are cut by length, so that one long row (mse) uses all threads and keeps its bits.

#include <algorithm>
#include <vector>

#include "engine/isa/row_tables.h"
#include "engine/loops.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {
namespace {

/// Sum of (p - t)^2 over n elements.
template <class T>
Acc<T> squared_error(const T* p, const T* t, int64_t n) {
  using A = Acc<T>;
  const SquaredErrorRows<A>& rows = squared_error_rows<A>();
  if constexpr (std::is_same_v<A, T>) return rows.error(p, t, n);
  A x[kReduceBlock], y[kReduceBlock];
  auto join = [](A earlier, A later) { return earlier + later; };
  Pairwise<A, decltype(join)> tree(join);
  for (int64_t i = 0; i < n; i += kReduceBlock) {
    const int64_t count = std::min(kReduceBlock, n - i);
    tree.push(rows.error(load_row<A>(p + i, 1, count, x), load_row<A>(t + i, 1, count, y), count));
  }
  return tree.finish();
}

/// Sum of (p - r) * ((p - r) + 2 (r - t)) over n elements.
template <class T>
Acc<T> error_gain(const T* p, const T* r, const T* t, int64_t n) {
  using A = Acc<T>;
  const SquaredErrorRows<A>& rows = squared_error_rows<A>();
  if constexpr (std::is_same_v<A, T>) return rows.gain(p, r, t, n);
  A x[kReduceBlock], y[kReduceBlock], z[kReduceBlock];
  auto join = [](A earlier, A later) { return earlier + later; };
  Pairwise<A, decltype(join)> tree(join);
  for (int64_t i = 0; i < n; i += kReduceBlock) {
    const int64_t count = std::min(kReduceBlock, n - i);
    tree.push(rows.gain(load_row<A>(p + i, 1, count, x), load_row<A>(r + i, 1, count, y),
                        load_row<A>(t + i, 1, count, z), count));
  }
  return tree.finish();
}

/// out[r] = sum_run(first element, elements) over row r / divisor.
template <class A, class SumRun>
void sum_samples(int64_t rows, int64_t count, A divisor, A* out, const SumRun& sum_run) {
  if (count <= kElementGrain) {
    parallel_for(rows, std::max<int64_t>(1, kElementGrain / std::max<int64_t>(1, count)),
                 [=](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r) out[r] = sum_run(r * count, count) / divisor;
                 });
    return;
  }
  const int64_t chunks = (count + kElementGrain - 1) / kElementGrain;
  std::vector<A> partial(static_cast<size_t>(rows * chunks));
  parallel_for(rows * chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % chunks * kElementGrain, start = i / chunks * count + first;
      partial[size_t(i)] = sum_run(start, std::min(kElementGrain, count - first));
    }
  });
  for (int64_t r = 0; r < rows; ++r) {
    const A* sums = partial.data() + r * chunks;
    out[r] = sum_row(sums, chunks) / divisor;
  }
}

/// grad_pred = factor * (p - t) and its negative, for whichever is not null.
template <class T>
void spread(Acc<T> factor, const T* p, const T* t, int64_t n, T* grad_pred, T* grad_target) {
  using A = Acc<T>;
  if constexpr (std::is_same_v<A, T>) {
    squared_error_rows<A>().grad(factor, p, t, n, grad_pred, grad_target);
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const A g = factor * (load_as<A>(p[i]) - load_as<A>(t[i]));
      if (grad_pred) grad_pred[i] = store_as<T>(g);
      if (grad_target) grad_target[i] = store_as<T>(-g);
    }
  }
}

template <class T>
T* data_or_null(Tensor& x) {
  return x.defined() ? x.mutable_data<T>() : nullptr;
}

template <class T>
T* advance(T* data, int64_t offset) {
  return data ? data + offset : nullptr;
}

}  // namespace

void squared_error_kernel(Cpu, const Tensor& pred, const Tensor& target, int64_t rows, double divisor, Tensor& out) {
  if (rows == 0) return;
  visit_dtype(Floats{}, pred.dtype(), "mse", [&]<class T>() {
    const T *p = pred.data<T>(), *t = target.data<T>();
    sum_samples(rows, pred.numel() / rows, Acc<T>(divisor), out.mutable_data<Acc<T>>(),
                [=](int64_t start, int64_t n) { return squared_error(p + start, t + start, n); });
  });
}

void error_gain_kernel(Cpu, const Tensor& pred, const Tensor& ref, const Tensor& target, double divisor, Tensor& out) {
  const int64_t rows = out.numel();
  if (rows == 0) return;
  visit_dtype(Floats{}, pred.dtype(), "error_gain", [&]<class T>() {
    const T *p = pred.data<T>(), *r = ref.data<T>(), *t = target.data<T>();
    sum_samples(rows, pred.numel() / rows, Acc<T>(divisor), out.mutable_data<Acc<T>>(),
                [=](int64_t start, int64_t n) { return error_gain(p + start, r + start, t + start, n); });
  });
}

void squared_error_backward_kernel(Cpu, const Tensor& grad, const Tensor& pred, const Tensor& target, double divisor,
                                   Tensor& grad_pred, Tensor& grad_target) {
  if (pred.numel() == 0) return;
  visit_dtype(Floats{}, pred.dtype(), "mse_backward", [&]<class T>() {
    using A = Acc<T>;
    const T *p = pred.data<T>(), *t = target.data<T>();
    T *to_pred = data_or_null<T>(grad_pred), *to_target = data_or_null<T>(grad_target);
    const A* g = grad.data<A>();
    const int64_t count = pred.numel() / grad.numel();
    parallel_for(pred.numel(), kElementGrain, [=](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end;) {
        const int64_t row = at / count, stop = std::min(end, (row + 1) * count);
        const A factor = A(2) * g[row] / A(divisor);
        spread<T>(factor, p + at, t + at, stop - at, advance(to_pred, at), advance(to_target, at));
        at = stop;
      }
    });
  });
}

void squared_difference_kernel(Cpu, const Tensor& pred, const Tensor& target, Tensor& out) {
  visit_dtype(Floats{}, pred.dtype(), "mse", [&]<class T>() {
    using A = Acc<T>;
    const T *p = pred.data<T>(), *t = target.data<T>();
    T* y = out.mutable_data<T>();
    parallel_for(pred.numel(), kElementGrain, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const A difference = load_as<A>(p[i]) - load_as<A>(t[i]);
        y[i] = store_as<T>(difference * difference);
      }
    });
  });
}

void squared_difference_backward_kernel(Cpu, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                        Tensor& grad_pred, Tensor& grad_target) {
  visit_dtype(Floats{}, pred.dtype(), "mse_backward", [&]<class T>() {
    using A = Acc<T>;
    const T *p = pred.data<T>(), *t = target.data<T>(), *g = grad.data<T>();
    T *to_pred = data_or_null<T>(grad_pred), *to_target = data_or_null<T>(grad_target);
    parallel_for(pred.numel(), kElementGrain, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const A gradient = A(2) * load_as<A>(g[i]) * (load_as<A>(p[i]) - load_as<A>(t[i]));
        if (to_pred) to_pred[i] = store_as<T>(gradient);
        if (to_target) to_target[i] = store_as<T>(-gradient);
      }
    });
  });
}

}  // namespace plumb
