// Row by row; 16-bit rows through buffers of float. The gradient of the first half is the forward with grad in its
// place.

#include <algorithm>
#include <vector>

#include "engine/isa/kernels.h"
#include "engine/loops.h"
#include "engine/ops/elementwise/geglu_kernels.h"
#include "engine/ops/elementwise/geglu_rows.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {
namespace {

template <class A>
struct Rows {
  BinaryRow<A> forward = portable::geglu_row<A>;
  TernaryRow<A> grad_gate = portable::geglu_grad_gate_row<A>;
  Rows() {
    if constexpr (std::is_same_v<A, float>) {
      forward = kernels().elementwise.geglu;
      grad_gate = kernels().elementwise.geglu_grad_gate;
    }
  }
};

template <class T>
void store_row(const Acc<T>* row, int64_t n, T* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = store_as<T>(row[i]);
}

/// Calls run(row, buffer) for every row, with room for `buffers` rows of n where T has to be converted.
template <class T, class F>
void for_each_row(int64_t rows, int64_t n, int64_t buffers, F&& run) {
  parallel_for(rows, std::max<int64_t>(1, kElementGrain / n), [&](int64_t begin, int64_t end) {
    std::vector<Acc<T>> buffer(std::is_same_v<T, Acc<T>> ? size_t(0) : size_t(buffers * n));
    for (int64_t r = begin; r < end; ++r) run(r, buffer.data());
  });
}

}  // namespace

void geglu_kernel(Cpu, const Tensor& x, Tensor& y) {
  const int64_t n = y.shape().back(), rows = y.numel() / n;
  visit_dtype(Floats{}, x.dtype(), "geglu", [&]<class T>() {
    using A = Acc<T>;
    const Rows<A> table;
    const T* input = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_row<T>(rows, n, 3, [&](int64_t r, A* buffer) {
      const A* row = load_row<A>(input + r * 2 * n, 1, 2 * n, buffer);
      if constexpr (std::is_same_v<T, A>) {
        table.forward(row, row + n, out + r * n, n);
      } else {
        table.forward(row, row + n, buffer + 2 * n, n);
        store_row(buffer + 2 * n, n, out + r * n);
      }
    });
  });
}

void geglu_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, Tensor& grad_x) {
  const int64_t n = grad.shape().back(), rows = grad.numel() / n;
  visit_dtype(Floats{}, x.dtype(), "geglu_backward", [&]<class T>() {
    using A = Acc<T>;
    const Rows<A> table;
    const T *upstream = grad.data<T>(), *input = x.data<T>();
    T* out = grad_x.mutable_data<T>();
    for_each_row<T>(rows, n, 5, [&](int64_t r, A* buffer) {
      const A* g = load_row<A>(upstream + r * n, 1, n, buffer);
      const A* row = load_row<A>(input + r * 2 * n, 1, 2 * n, buffer + n);
      T* target = out + r * 2 * n;
      if constexpr (std::is_same_v<T, A>) {
        table.forward(g, row + n, target, n);
        table.grad_gate(g, row, row + n, target + n, n);
      } else {
        table.forward(g, row + n, buffer + 3 * n, n);
        table.grad_gate(g, row, row + n, buffer + 4 * n, n);
        store_row(buffer + 3 * n, 2 * n, target);
      }
    });
  });
}

}  // namespace plumb
